/** What of two states is compared: data types that both can have, and of all rows or those of one business. */
import { DATA_TYPES, expandDataTypes, type DataType } from '../../domain/data-type';
import { AppError } from '../../domain/errors';
import type { ComparisonJobSpec } from '../../domain/job';
import type { Manifest } from '../../domain/manifest';
import type { RowScope } from '../../domain/rows';

export interface ComparedScope {
  dataTypes: readonly DataType[];
  /** Null: all rows. */
  businessId: string | null;
  /** What is not compared, and why. */
  notes: string[];
}

/** `target` is null for the live source, which has whatever its mapping says. */
export function comparedScope(
  spec: Pick<ComparisonJobSpec, 'dataTypes' | 'businessId'>,
  base: Manifest,
  target: Manifest | null,
): ComparedScope {
  const sides = [
    { name: 'base', dataTypes: base.dataTypes },
    { name: 'target', dataTypes: target?.dataTypes ?? [...DATA_TYPES] },
  ];
  const wanted = spec.dataTypes.includes('ALL') ? distinct(base, target) : expandDataTypes(spec.dataTypes);
  const notes: string[] = [];
  for (const { name, dataTypes } of sides) {
    const lacking = wanted.filter((dataType) => !dataTypes.includes(dataType));
    if (lacking.length === 0) continue;
    if (!spec.dataTypes.includes('ALL')) throw holdsNone(name, lacking);
    notes.push(`The ${name} holds no ${lacking.join(', ')}, so these are not compared.`);
  }
  const dataTypes = wanted.filter((dataType) => sides.every((side) => side.dataTypes.includes(dataType)));
  if (dataTypes.length === 0) throw nothingToCompare();
  return { dataTypes, businessId: comparedBusiness(spec.businessId, [base.scope, target?.scope]), notes };
}

function distinct(base: Manifest, target: Manifest | null): DataType[] {
  return DATA_TYPES.filter((type) => base.dataTypes.includes(type) || target?.dataTypes.includes(type));
}

/** A backup of one business has nothing to say of others. */
function comparedBusiness(asked: string | null, scopes: readonly (RowScope | undefined)[]): string | null {
  const held = scopes.flatMap((scope) => (scope?.kind === 'BUSINESS' ? [scope.businessId] : []));
  const [businessId, ...others] = new Set(asked === null ? held : [asked, ...held]);
  if (others.length === 0) return businessId ?? null;
  throw new AppError('INVALID_INPUT', `One backup holds business ${held.join(' alone, the other ')} alone.`, {
    hint: 'Compare backups that hold rows of the same business.',
    path: ['input', 'businessId'],
  });
}

function holdsNone(side: string, lacking: readonly DataType[]): AppError {
  return new AppError('INVALID_INPUT', `The ${side} holds no ${lacking.join(', ')}.`, {
    hint: 'Name data types that both have, or leave dataTypes out.',
    path: ['input', 'dataTypes'],
  });
}

export function nothingToCompare(): AppError {
  return new AppError('INVALID_INPUT', 'The base and the target have no table in common that could be compared so.', {
    hint: 'Choose two backups of the same tables, and data types whose tables belong to businesses where one is named.',
    path: ['input'],
  });
}

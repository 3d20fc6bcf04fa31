/** Conflicts of a three-way plan as the API shows them. */
import { Field, ObjectType } from 'type-graphql';
import type { ConflictingField, ConflictKind, FoundConflict } from '../../domain/restore-conflict';
import type { RequestedDataType } from '../../domain/data-type';
import type { JsonRow, JsonValue } from '../../domain/values';
import { DataTypeEnum, RestoreConflictKindEnum } from '../enums';
import { JsonScalar } from '../scalars';
import { connectionType } from './connection';

@ObjectType('RestoreConflictField', {
  description:
    'A field as each side has it; values as in records. Null too where the row is not there, which the kind tells.',
})
export class RestoreConflictFieldView {
  @Field(() => String)
  readonly name!: string;

  @Field(() => JsonScalar, { nullable: true, description: 'In the undamaged backup.' })
  readonly undamaged!: JsonValue;

  @Field(() => JsonScalar, { nullable: true, description: 'In the damaged backup.' })
  readonly damaged!: JsonValue;

  @Field(() => JsonScalar, { nullable: true, description: 'In the source, when the plan was made.' })
  readonly live!: JsonValue;
}

@ObjectType('RestoreConflict', { description: 'A row of which fields were damaged and changed later too.' })
export class RestoreConflictView {
  constructor(private readonly conflict: FoundConflict) {}

  @Field(() => DataTypeEnum)
  get dataType(): RequestedDataType {
    return this.conflict.dataType;
  }

  @Field(() => String, { description: 'Of the table.' })
  get name(): string {
    return this.conflict.table;
  }

  @Field(() => JsonScalar, { description: 'The fields that identify the row, by column.' })
  get key(): JsonRow {
    return this.conflict.key;
  }

  @Field(() => RestoreConflictKindEnum)
  get kind(): ConflictKind {
    return this.conflict.kind;
  }

  @Field(() => [RestoreConflictFieldView], {
    description: 'Those in conflict; what becomes of them the conflictPolicy says.',
  })
  get fields(): ConflictingField[] {
    return this.conflict.fields;
  }
}

export const RestoreConflictConnection = connectionType(RestoreConflictView, 'RestoreConflict');

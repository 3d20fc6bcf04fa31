/**
 * Whose the live rows are that a three-way restore of one business is about to write: a row that came to belong to somebody else after the
 * damage is not touched. By its own column, or, where a path leads to the owner, by what the source counts as the business's.
 */
import type { RowCodec, RowScope } from '../../domain/rows';
import type { RowSlice } from '../rows/compare-rows';
import type { RowImages } from '../rows/merge-row';
import { FieldReader } from '../rows/row-filter';
import type { DamageTest, TableDamage } from './damage';
import { ownedByOthers } from './stray-search';

type FoundRows = readonly (RowSlice | null)[];

export class OwnerCheck {
  private readonly damage: TableDamage;
  private readonly scope: RowScope;
  /** Of the column that names the owner, or is the path's first step. */
  private readonly column: number;
  private readonly known: FieldReader;
  private readonly live: FieldReader;

  constructor(damage: TableDamage, { codec, scope }: { codec: RowCodec; scope: RowScope }) {
    const { structure } = damage.table.manifest;
    this.damage = damage;
    this.scope = scope;
    this.column = structure.columns.findIndex(({ name }) => name === structure.mapping.business?.column);
    this.known = new FieldReader(codec, structure);
    this.live = new FieldReader(codec, structure);
  }

  /** Which of the rows found by key the source counts to the business. Asks it where a path says so, for no row does by itself. */
  async ownOf(found: FoundRows, read: (scope: RowScope) => Promise<FoundRows>): Promise<readonly boolean[]> {
    if (!this.isByPath || found.every((row) => row === null)) return [];
    return (await read(this.scope)).map((row) => row !== null);
  }

  /** Throws CONFLICT where a live row has come to belong to somebody whom neither backup knows as its owner. */
  require({ undamaged, damaged, live }: RowImages, isOwn: boolean): void {
    if (this.scope.kind !== 'BUSINESS' || this.column === -1 || live === null || isOwn) return;
    this.live.locate(live.bytes, live.start);
    const { isMeant } = this.damage;
    const isKnown =
      this.knows(undamaged, (row) => isMeant(row, null)) || this.knows(damaged, (row) => isMeant(null, row));
    if (!isKnown) throw ownedByOthers(this.damage.table.manifest.structure);
  }

  private get isByPath(): boolean {
    const { role, manifest } = this.damage.table;
    return this.scope.kind === 'BUSINESS' && role === 'WHOLE' && manifest.structure.mapping.business?.kind === 'PATH';
  }

  /** By path a row is another's as a backup knows it only where it was another's in that backup, by the same step. */
  private knows(row: RowSlice | null, wasOwn: (row: RowSlice) => ReturnType<DamageTest>): boolean {
    if (row === null) return false;
    this.known.locate(row.bytes, row.start);
    return this.known.sameField(this.live, this.column) && !(this.isByPath && wasOwn(row));
  }
}

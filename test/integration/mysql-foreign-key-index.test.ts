/** What a server takes for equal when it follows a foreign key, and what is found by the index of it in a backup of that server. */
import type { TableManifest } from '../../src/domain/manifest';
import { childrenOf } from '../../src/engine/reading/backup-children';
import { plainFormOf } from '../../src/engine/rows/plain-values';
import { decodeFields, encodeField, mysqlCodec } from '../../src/sources/mysql/row-encoding';
import { batchOf, rowsOf } from '../support/engine-rows';
import { MysqlStand } from '../support/mysql-stand';

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i));
/** All texts of up to two characters. */
const TEXTS = ['', ...PRINTABLE, ...PRINTABLE.flatMap((a) => PRINTABLE.map((b) => a + b))];

const plain = (text: string): string => text.replace(/ +$/, '').toLowerCase();
const quote = (text: string): string => `'${text.replace(/['\\]/g, '\\$&')}'`;

describe('of texts in ASCII', () => {
  let stand: MysqlStand;
  beforeAll(async () => {
    const rows = TEXTS.map((text) => `(${quote(text)}, ${quote(plain(text))})`);
    stand = await MysqlStand.open(
      [
        'CREATE TABLE texts (text VARCHAR(4) COLLATE utf8mb4_bin NOT NULL, plain VARBINARY(4) NOT NULL, id INT AUTO_INCREMENT PRIMARY KEY) CHARSET utf8mb4',
        `INSERT INTO texts (text, plain) VALUES ${rows.join()}`,
      ],
      ['texts'],
    );
  });
  afterAll(() => stand.close());

  /** How many groups of texts that the collation calls equal have several plain forms. */
  async function mixedGroups(charset: string, collation: string): Promise<number> {
    const [[count]] = (await stand.rows(
      `SELECT COUNT(*) FROM (SELECT 1 FROM texts GROUP BY CONVERT(text USING ${charset}) COLLATE ${collation} HAVING COUNT(DISTINCT plain) > 1) mixed`,
    )) as [[number]];
    return Number(count);
  }

  test('no collation in use calls two equal that the index does not, on this server; some others do', async () => {
    const isMaria = String((await stand.rows('SELECT VERSION()'))[0]![0]).includes('MariaDB');
    const name = isMaria ? 'FULL_COLLATION_NAME' : 'COLLATION_NAME';
    const listed = (await stand.rows(
      `SELECT CHARACTER_SET_NAME, ${name} FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE CHARACTER_SET_NAME IN ('ascii', 'latin1', 'utf8', 'utf8mb3', 'utf8mb4')`,
    )) as [string, string][];
    const asked = listed.filter(([charset, collation]) => {
      const column = { name: 'c', type: 'varchar(4)', kind: 'TEXT', nullable: true, charset, collation } as const;
      return plainFormOf(column) === 'CASELESS';
    });
    expect(asked.length).toBeGreaterThan(10);
    const mixed: string[] = [];
    for (const [charset, collation] of asked) if ((await mixedGroups(charset, collation)) > 0) mixed.push(collation);
    expect(mixed).toEqual([]);
    expect(await mixedGroups('utf8mb4', 'utf8mb4_lithuanian_ci')).toBeGreaterThan(0);
  }, 60_000);
});

describe('of a backup', () => {
  let stand: MysqlStand;
  let tables: TableManifest[];
  beforeAll(async () => {
    const key = 'VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci';
    stand = await MysqlStand.open(
      [
        `CREATE TABLE parents (code ${key} PRIMARY KEY, tenant INT NOT NULL, number BIGINT NOT NULL, day DATE NOT NULL, UNIQUE (tenant, number), UNIQUE (day)) ENGINE=InnoDB`,
        `CREATE TABLE children (id INT PRIMARY KEY, note VARCHAR(500) NOT NULL, code ${key}, tenant INT, number BIGINT, day DATE,
           CONSTRAINT by_code FOREIGN KEY (code) REFERENCES parents (code) ON DELETE CASCADE ON UPDATE CASCADE,
           CONSTRAINT by_number FOREIGN KEY (tenant, number) REFERENCES parents (tenant, number) ON DELETE SET NULL,
           CONSTRAINT by_day FOREIGN KEY (day) REFERENCES parents (day) ON UPDATE CASCADE) ENGINE=InnoDB`,
        "INSERT INTO parents SELECT CONCAT('Code ', seq), seq MOD 3, seq, '2020-01-01' + INTERVAL seq DAY FROM seq_0_to_299",
        "INSERT INTO parents VALUES ('straße', 9, 9, '1999-12-31')",
        `INSERT INTO children SELECT seq, REPEAT('n', 400), IF(seq MOD 7 = 0, NULL, CONCAT(IF(seq MOD 2, 'CODE ', 'code '), seq * 31 MOD 300, IF(seq MOD 5, '', '  '))),
           seq MOD 3, IF(seq MOD 11 = 0, NULL, 3 * (seq MOD 90) + seq MOD 3), '2020-01-01' + INTERVAL seq * 17 MOD 300 DAY FROM seq_1_to_9000`,
        "UPDATE children SET code = 'STRASSE' WHERE id = 4711",
      ],
      ['parents', 'children'],
    );
    tables = (await stand.store.findManifest(await stand.backup()))!.manifest.tables;
  }, 60_000);
  afterAll(() => stand.close());

  async function found(columns: string[], values: readonly string[]): Promise<string[] | string> {
    const table = tables.find((candidate) => candidate.table === 'children')!;
    const value = Buffer.concat(values.map((text) => encodeField(Buffer.from(text))));
    const wanted = { table, key: { name: columns.join(), columns }, values: batchOf([value]) };
    const children = await childrenOf(wanted, { store: stand.store, codec: mysqlCodec });
    if (children.kind === 'UNKNOWN') return children.reason;
    return rowsOf(children.rows).map((row) => decodeFields(row)[0]!.toString()).sort(); // prettier-ignore
  }

  test.each<[string[], string[], string]>([
    [['code'], ['Code 31'], "code = 'Code 31'"],
    [['code'], ['cODE 299 '], "code = 'Code 299'"],
    [['code'], ['nobody'], 'FALSE'],
    [['tenant', 'number'], ['1', '7'], 'tenant = 1 AND number = 7'],
    [['day'], ['2020-02-01'], "day = '2020-02-01'"],
  ])('the children by (%s) of %s are those that the server finds', async (columns, values, condition) => {
    const live = (await stand.rows(`SELECT id FROM children WHERE ${condition}`)).map(([id]) => String(id)).sort();
    expect(await found(columns, values)).toEqual(live);
  });

  test('a parent whose name other letters may stand for is left to the server', async () => {
    expect(await found(['code'], ['straße'])).toContain('only the server');
  });
});

/**
 * Tables that backup tools stumble over, on a real MariaDB or MySQL: each is spoiled, dropped, and emptied, and every byte and the whole
 * definition, triggers included, must come back.
 */
import { numbers, stopMariadb, type MariadbServer } from '../support/mariadb';
import { describeMariadb, needServer } from '../support/mysql-source';
import { MysqlStand } from '../support/mysql-stand';

interface OddTable {
  name: string;
  make: string[] | ((server: MariadbServer) => string[]);
  tables: string[];
  damage: string[];
  /** Settings of the whole server while backup and restore run. */
  globals?: Record<string, string>;
}

const COLUMNS = Array.from({ length: 500 }, (_, i) => `c${i} INT NULL`).join(', ');
const MEMBERS = Array.from({ length: 64 }, (_, i) => `'m${i}'`).join(', ');

const FILL_INDEXED = [
  `INSERT INTO indexed (id, n, s, hid, p) SELECT CONCAT('k', seq), seq, CONCAT('X', seq), seq * 2, POINT(seq, 1) FROM ${numbers(1, 200)}`,
  `INSERT INTO unnamed (a, b) SELECT seq, CONCAT('b', seq) FROM ${numbers(1, 20)}`,
];

const INDEXED_ON_MARIADB = [
  `CREATE TABLE indexed (id VARCHAR(20) COLLATE utf8mb4_nopad_bin PRIMARY KEY, n INT, s VARCHAR(60) DEFAULT (CONCAT('s', UUID())),
     hid INT INVISIBLE DEFAULT 7, low VARCHAR(60) AS (LOWER(s)) VIRTUAL INVISIBLE, p POINT NOT NULL,
     UNIQUE KEY low (low), KEY down (n DESC, s), KEY ignored_one (n) IGNORED, SPATIAL KEY place (p), FULLTEXT KEY words (s),
     CONSTRAINT positive CHECK (n > 0))`,
  'CREATE TABLE unnamed (a INT NOT NULL, b VARCHAR(10), UNIQUE KEY (a))',
  ...FILL_INDEXED,
  "INSERT INTO indexed (id, n, s, p) VALUES ('k1 ', 201, 'space', POINT(0, 0))",
];

const INDEXED_ON_MYSQL = [
  `CREATE TABLE indexed (id VARCHAR(20) COLLATE utf8mb4_0900_ai_ci PRIMARY KEY, n INT, s VARCHAR(60) DEFAULT (CONCAT('s', UUID())),
     hid INT INVISIBLE DEFAULT 7, b BINARY(16) DEFAULT (UUID_TO_BIN(UUID())), j JSON DEFAULT (JSON_OBJECT('tags', JSON_ARRAY('t'))),
     v VECTOR(3) DEFAULT (STRING_TO_VECTOR('[1,2,3]')), p POINT NOT NULL SRID 0, r FLOAT DEFAULT (PI()),
     UNIQUE KEY low ((LOWER(s))), KEY down (n DESC, s), KEY hidden_one (n) INVISIBLE, KEY twice ((n * 2), (CONCAT(s, ',)('))),
     KEY tags ((CAST(j->'$.tags' AS CHAR(20) ARRAY))), SPATIAL KEY place (p), FULLTEXT KEY words (s),
     CONSTRAINT positive CHECK (n > 0), CONSTRAINT never CHECK (n > 100) NOT ENFORCED)`,
  'SET sql_generate_invisible_primary_key = 1',
  'CREATE TABLE unnamed (a INT NOT NULL, b VARCHAR(10))',
  'SET sql_generate_invisible_primary_key = 0',
  ...FILL_INDEXED,
  "INSERT INTO indexed (id, n, s, p, j) VALUES ('k1 ', 201, 'space', POINT(0, 0), JSON_OBJECT('exact', 1.50))",
];

const ODD_TABLES: OddTable[] = [
  {
    name: '500 columns, and nothing but a key',
    tables: ['wide', 'bare'],
    make: [
      `CREATE TABLE wide (id INT PRIMARY KEY, ${COLUMNS})`,
      `INSERT INTO wide (id, c3, c499) SELECT seq, seq, 7 FROM ${numbers(1, 200)}`,
      'CREATE TABLE bare (a INT, b VARCHAR(20), PRIMARY KEY (a, b))',
      `INSERT INTO bare SELECT seq, CONCAT('x', seq) FROM ${numbers(1, 200)}`,
    ],
    damage: [
      'UPDATE wide SET c499 = 8 WHERE id < 50',
      'DELETE FROM bare WHERE a > 150',
      "UPDATE bare SET b = 'y' WHERE a < 9",
    ],
  },
  {
    name: 'keys of DECIMAL(65,30), BIT(64), a full SET and an ENUM out of order',
    tables: ['odd'],
    make: [
      `CREATE TABLE odd (d DECIMAL(65,30), b BIT(64), s SET(${MEMBERS}), e ENUM('z','y','a'), PRIMARY KEY (d, b, s, e))`,
      `INSERT INTO odd SELECT seq / 7, seq * 1000000007, seq * seq * 1000003, 1 + seq % 3 FROM ${numbers(1, 300)}`,
      "INSERT INTO odd VALUES (-99999999999999999999999999999999999.999999999999999999999999999999, ~0, ~0, 'a')",
    ],
    damage: ['DELETE FROM odd WHERE b & 1', "UPDATE odd SET d = d + 1 WHERE e = 'y'"],
  },
  {
    name: 'keys in utf16, sjis and gbk, whose characters hold backslash bytes',
    tables: ['utf', 'sj', 'gb'],
    make: [
      `CREATE TABLE utf (id VARCHAR(30) CHARACTER SET utf16 COLLATE utf16_bin PRIMARY KEY, v VARCHAR(50) CHARACTER SET sjis,
         l VARCHAR(50) CHARACTER SET latin1, w VARCHAR(50) CHARACTER SET utf32)`,
      `INSERT INTO utf SELECT CONCAT('k\\\\\t', seq, '🚀'), 'ソ表十', 'é€\\\\', '🚀\n' FROM ${numbers(1, 200)}`,
      'CREATE TABLE sj (id VARCHAR(30) CHARACTER SET sjis PRIMARY KEY, v INT)',
      `INSERT INTO sj SELECT CONCAT('ソ表', seq), seq FROM ${numbers(1, 200)}`,
      'CREATE TABLE gb (id VARCHAR(30) CHARACTER SET gbk COLLATE gbk_chinese_ci PRIMARY KEY, v INT)',
      `INSERT INTO gb SELECT CONCAT('運珱', seq), seq FROM ${numbers(1, 200)}`,
    ],
    damage: [
      "DELETE FROM utf WHERE id LIKE '%1%'",
      "UPDATE utf SET v = '' WHERE id LIKE '%2%'",
      'UPDATE sj SET v = 0 WHERE v < 9',
      'DELETE FROM gb WHERE v > 150',
    ],
  },
  {
    name: 'keys and texts in charsets that are going out of use',
    tables: ['narrow', 'old'],
    make: [
      'CREATE TABLE narrow (id VARCHAR(30) CHARACTER SET utf8mb3 PRIMARY KEY, v TEXT CHARACTER SET ucs2)',
      `INSERT INTO narrow SELECT CONCAT('é', seq), CONCAT('ß', seq) FROM ${numbers(1, 200)}`,
      "INSERT INTO narrow VALUES ('alone', X'D83D')",
      `CREATE TABLE old (id VARCHAR(30) CHARACTER SET macroman, u VARCHAR(30) CHARACTER SET ucs2 COLLATE ucs2_bin,
         d VARCHAR(30) CHARACTER SET dec8, h TEXT CHARACTER SET eucjpms, v ENUM('ü','y') CHARACTER SET utf8mb3, PRIMARY KEY (id, u))`,
      `INSERT INTO old SELECT CONCAT('é', seq), CONCAT('ß', seq), 'ä', '表', 1 + seq % 2 FROM ${numbers(1, 200)}`,
    ],
    damage: [
      "UPDATE narrow SET v = 'spoiled' WHERE id LIKE '%1%'",
      "DELETE FROM narrow WHERE id LIKE '%2%' OR id = 'alone'",
      "UPDATE old SET d = 'ö', v = 'y' WHERE id LIKE '%1%'",
      "DELETE FROM old WHERE id LIKE '%2%'",
    ],
  },
  {
    name: 'dates that are none, and timestamps that move by themselves, on a server in another time zone and odd modes',
    tables: ['times', 'texts'],
    globals: {
      time_zone: "'+05:30'",
      sql_mode:
        "'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH,PIPES_AS_CONCAT,NO_ZERO_DATE,STRICT_ALL_TABLES'",
    },
    make: [
      "SET sql_mode = 'ALLOW_INVALID_DATES'",
      `CREATE TABLE times (id INT PRIMARY KEY, d DATE, dt DATETIME(6), y YEAR, ti TIME(6), ts2 TIMESTAMP NULL,
         ts TIMESTAMP(3) NOT NULL DEFAULT '2020-05-05 05:05:05' ON UPDATE CURRENT_TIMESTAMP(3))`,
      `INSERT INTO times VALUES (1, '0000-00-00', '0000-00-00', 0, '-838:59:59.999999', NULL, '0000-00-00'),
         (2, '2020-02-31', '2021-00-10 10:00:00.5', 1901, '838:59:59.000001', '2038-01-19 01:14:07', '1970-01-02 10:00:01.001')`,
      `INSERT INTO times (id) SELECT seq FROM ${numbers(3, 200)}`,
      'CREATE TABLE texts (id CHAR(10) PRIMARY KEY, c CHAR(20), q VARCHAR(20))',
      `INSERT INTO texts SELECT seq, 'pad', 'a\\\\''"' FROM ${numbers(1, 200)}`,
    ],
    damage: ['UPDATE times SET y = 2001', 'DELETE FROM times WHERE id = 1', 'UPDATE texts SET c = 0 WHERE id < 10'],
  },
  {
    name: 'unique keys over generated columns, whose values were swapped, and rows that refer to their own table',
    tables: ['tree'],
    make: [
      `CREATE TABLE tree (id INT PRIMARY KEY, a INT, parent INT NULL, g INT AS (a * 2) VIRTUAL, s INT AS (a * 3) STORED,
         UNIQUE (g), UNIQUE (s, id), FOREIGN KEY (parent) REFERENCES tree (id) ON DELETE CASCADE)`,
      `INSERT INTO tree (id, a, parent) SELECT seq, seq, NULLIF(seq DIV 3, 0) FROM ${numbers(1, 200)}`,
    ],
    damage: [
      'UPDATE tree SET a = -1 WHERE id = 1',
      'UPDATE tree SET a = 1 WHERE id = 2',
      'UPDATE tree SET a = 2 WHERE id = 1',
      'DELETE FROM tree WHERE id = 40',
    ],
  },
  {
    name: 'a trigger made under another mode',
    tables: ['told'],
    make: [
      "SET sql_mode = 'ANSI_QUOTES'",
      'CREATE TABLE told (id INT PRIMARY KEY, v VARCHAR(20))',
      `CREATE TRIGGER told_in BEFORE INSERT ON told FOR EACH ROW SET NEW."v" = CONCAT(NEW."v", '')`,
      'SET sql_mode = DEFAULT',
      `INSERT INTO told SELECT seq, 'x' FROM ${numbers(1, 30)}`,
    ],
    damage: ["UPDATE told SET v = 'y' WHERE id < 5"],
  },
  {
    name: 'partitions, and comments and defaults that look like definitions',
    tables: ['parts', 'we`ird "na\'me', 'Übergröße'],
    make: ({ isMariadb }) => [
      `CREATE TABLE parts (id INT NOT NULL COMMENT 'it''s, a (comment) \\\\ "x"', v VARCHAR(20) DEFAULT 'a,b)\\\\',
         w DATETIME DEFAULT (NOW() + INTERVAL 1 DAY), i INT INVISIBLE DEFAULT 5, c TEXT ${isMariadb ? 'COMPRESSED' : ''}, CHECK (v <> 'KEY (x)'),
         PRIMARY KEY (id), KEY k (v(5))) COMMENT = 'c,)'
       PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (100), PARTITION p1 VALUES LESS THAN MAXVALUE)`,
      `INSERT INTO parts (id, i, c) SELECT seq, seq, REPEAT('z', 500) FROM ${numbers(1, 200)}`,
      'CREATE TABLE `we``ird "na\'me` (`i d` INT PRIMARY KEY, `selec``t` VARCHAR(10), KEY `k,(` (`selec``t`))',
      `INSERT INTO \`we\`\`ird "na'me\` SELECT seq, seq FROM ${numbers(1, 100)}`,
      isMariadb
        ? 'CREATE TABLE `Übergröße` (id UUID PRIMARY KEY, ip INET6)'
        : "CREATE TABLE `Übergröße` (id CHAR(36) PRIMARY KEY, ip VARCHAR(40) DEFAULT (CONCAT('::', 1)))",
      `INSERT INTO \`Übergröße\` SELECT UUID(), CONCAT('::', seq) FROM ${numbers(1, 100)}`,
    ],
    damage: [
      'DELETE FROM parts WHERE id > 190',
      'UPDATE parts SET i = 0 WHERE id < 5',
      'DELETE FROM `Übergröße` LIMIT 9',
    ],
  },
  {
    name: 'indexes that are hidden, descending, over expressions, and defaults that are expressions',
    tables: ['indexed', 'unnamed'],
    make: ({ isMariadb }) => (isMariadb ? INDEXED_ON_MARIADB : INDEXED_ON_MYSQL),
    damage: [
      "UPDATE indexed SET s = CONCAT(s, '-') WHERE n = 1",
      "UPDATE indexed SET s = 'x1' WHERE n = 2",
      "UPDATE indexed SET s = 'x2' WHERE n = 1",
      'DELETE FROM indexed WHERE n > 150',
      "UPDATE unnamed SET b = 'other' WHERE a = 3",
      'DELETE FROM unnamed WHERE a > 15',
    ],
  },
];

const quote = (name: string): string => `\`${name.replaceAll('`', '``')}\``;

describeMariadb('odd tables', () => {
  afterAll(() => stopMariadb());

  async function content(stand: MysqlStand): Promise<unknown[]> {
    const all: unknown[] = [];
    for (const { table } of stand.mapping) {
      const columns = await stand.rows(
        `SELECT GROUP_CONCAT('HEX(CAST(\`', REPLACE(COLUMN_NAME, '\`', '\`\`'), '\` AS BINARY))' ORDER BY ORDINAL_POSITION)
         FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '${table.replaceAll("'", "''")}'`,
      );
      all.push(await stand.rows(`SELECT ${String(columns[0]?.[0])} FROM ${quote(table)} ORDER BY 1`));
    }
    return all;
  }

  async function definitions(stand: MysqlStand): Promise<unknown[]> {
    const all: unknown[] = [];
    for (const { table } of stand.mapping) {
      const [[, statement] = []] = await stand.rows(`SHOW CREATE TABLE ${quote(table)}`);
      all.push(String(statement));
    }
    const triggers = await stand.rows(
      `SELECT TRIGGER_NAME, ACTION_STATEMENT, SQL_MODE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()`,
    );
    return [...all, triggers];
  }

  async function forAll(stand: MysqlStand, doing: string): Promise<void> {
    const statements = stand.mapping.map(({ table }) => `${doing} ${quote(table)}`);
    await stand.exec('SET foreign_key_checks = 0', ...statements, 'SET foreign_key_checks = 1');
  }

  async function withGlobals(globals: Record<string, string>, work: () => Promise<void>): Promise<void> {
    const admin = await MysqlStand.open([], []);
    const before: string[] = [];
    try {
      for (const [name, value] of Object.entries(globals)) {
        const [[old] = []] = await admin.rows(`SELECT @@GLOBAL.${name}`);
        before.push(`SET GLOBAL ${name} = ${typeof old === 'number' ? old : `'${String(old)}'`}`);
        await admin.exec(`SET GLOBAL ${name} = ${value}`);
      }
      await work();
    } finally {
      await admin.exec(...before);
      await admin.close();
    }
  }

  test.each(ODD_TABLES)('$name', async ({ make, tables, damage, globals = {} }) => {
    const statements = typeof make === 'function' ? make(await needServer()) : make;
    const stand = await MysqlStand.open(['SET group_concat_max_len = 1000000', ...statements], tables);
    const [rows, made] = [await content(stand), await definitions(stand)];
    const spoils: [string, () => Promise<void>][] = [
      ['spoiled', () => stand.exec(...damage)],
      ['dropped', () => forAll(stand, 'DROP TABLE')],
      ['emptied', () => forAll(stand, 'DELETE FROM')],
    ];
    await withGlobals(globals, async () => {
      const id = await stand.backup();
      for (const [how, spoil] of spoils) {
        await spoil();
        await stand.restore(id);
        expect([how, await content(stand)]).toEqual([how, rows]);
        expect([how, await definitions(stand)]).toEqual([how, made]);
      }
      expect(await stand.connections()).toEqual([]);
    });
    await stand.close();
  });

  test('rows of 3 MB where the server takes packets of 1 MB: loaded whole, refused as a difference, with what to do', async () => {
    const stand = await MysqlStand.open(
      [
        'CREATE TABLE large (id INT PRIMARY KEY, b LONGBLOB)',
        `INSERT INTO large SELECT seq, REPEAT(CHAR(seq * 20), 3000000) FROM ${numbers(1, 3)}`,
      ],
      ['large'],
    );
    const rows = await content(stand);
    await withGlobals({ max_allowed_packet: '1048576' }, async () => {
      const id = await stand.backup();
      for (const spoil of ["UPDATE large SET b = '' WHERE id = 2", 'DELETE FROM large WHERE id = 1']) {
        await stand.exec(spoil);
        await expect(stand.restore(id)).rejects.toMatchObject({
          retryable: false,
          hint: expect.stringContaining('max_allowed_packet on the server to 6 MiB'),
        });
      }
      await stand.exec('DROP TABLE large');
      await stand.restore(id);
      expect(await content(stand)).toEqual(rows);
      expect(await stand.connections()).toEqual([]);
    });
    await stand.close();
  });
});

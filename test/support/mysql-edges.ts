/** Every column type of MariaDB or MySQL with its edge values, and a table of them. */
import type { MariadbServer, TestSchema } from './mariadb';

/** Column types and SQL literals of their edge values; NULL is tried for each. */
export type TypeEdges = [string, string[]][];

const COMMON_EDGES: TypeEdges = [
  ['TINYINT', ['-128', '0', '127']],
  ['TINYINT UNSIGNED ZEROFILL', ['0', '7', '255']],
  ['SMALLINT', ['-32768', '32767']],
  ['MEDIUMINT UNSIGNED', ['0', '16777215']],
  ['INT', ['-2147483648', '2147483647']],
  ['BIGINT', ['-9223372036854775808', '9223372036854775807', '9007199254740993']],
  ['BIGINT UNSIGNED', ['0', '18446744073709551615']],
  [
    'DECIMAL(65,30)',
    ['-99999999999999999999999999999999999.999999999999999999999999999999', '0.000000000000000000000000000001', '0'],
  ],
  ['DECIMAL(5,2) UNSIGNED ZEROFILL', ['0.5', '999.99']],
  ['FLOAT', ["'-0'", '1e-45', '3.4028234e38', '0.1', '16777217', '1.17549435e-38', '-123456.789']],
  ['FLOAT(7,3)', ['0.1', '-1234.567', '8888.125']],
  ['FLOAT UNSIGNED', ['0.3', '123456.789']],
  [
    'DOUBLE',
    ["'-0'", '5e-324', '1.7976931348623157e308', '0.1', '1e16', '123456789.123456789', '2.2250738585072014e-308'],
  ],
  ['DOUBLE(20,6)', ['0.1', '-12345678901234.567891', '1.000001']],
  ['BIT(1)', ["b'0'", "b'1'"]],
  ['BIT(10)', ["b'1000000001'", "b'0'"]],
  ['BIT(64)', ['18446744073709551615', '0', '0x0A0D095C27222C00']],
  ['BOOLEAN', ['TRUE', 'FALSE']],
  ['DATE', ["'0000-00-00'", "'0001-01-01'", "'9999-12-31'", "'2024-02-30'", "'2024-00-15'", "'2024-05-00'"]],
  ['TIME', ["'-838:59:59'", "'838:59:59'", "'00:00:00'", "'-00:00:01'"]],
  ['TIME(6)', ["'-838:59:59.999999'", "'00:00:00.000001'"]],
  ['DATETIME', ["'0000-00-00 00:00:00'", "'9999-12-31 23:59:59'", "'1000-01-01 00:00:00'"]],
  ['DATETIME(6)', ["'2024-03-31 02:30:00.123456'", "'0000-00-00 00:00:00.000000'", "'2024-02-31 23:59:59.999999'"]],
  [
    'TIMESTAMP NULL',
    ["'0000-00-00 00:00:00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "'2024-10-27 01:30:00'"],
  ],
  ['TIMESTAMP(6) NULL', ["'1970-01-01 00:00:01.000001'", "'2038-01-19 03:14:07.999999'"]],
  ['YEAR', ["'0000'", "'1901'", "'2155'"]],
  ['CHAR(10) CHARACTER SET latin1', ["_latin1 X'E9FF00'", "'trail   '", "''", "'\\\\'", "'a\\tb'"]],
  ['VARCHAR(20) CHARACTER SET utf8mb4', ["'😀 é \\\\ \\n \\t'", "'  both  '", "'\\0'", "'\\''", "'\\\\N'", "'NULL'"]],
  ['VARCHAR(20) CHARACTER SET utf8mb3', ["'é€'", "''"]],
  ['VARCHAR(20) CHARACTER SET ucs2', ["_ucs2 X'00410009005C'", "_ucs2 X'0A0A'"]],
  ['VARCHAR(20) CHARACTER SET utf16', ["_utf16 X'D83DDE00'", "_utf16 X'005C000A'"]],
  ['VARCHAR(20) CHARACTER SET utf32', ["_utf32 X'0001F600'"]],
  ['VARCHAR(20) CHARACTER SET sjis', ["_sjis X'835C'", "_sjis X'955C'"]],
  ['VARCHAR(20) CHARACTER SET gbk', ["_gbk X'BF5C'"]],
  ['VARCHAR(20) CHARACTER SET big5', ["_big5 X'A55C'"]],
  ['VARCHAR(20) CHARACTER SET cp1251', ["_cp1251 X'C0FF'"]],
  ['BINARY(8)', ["X'00'", "X'FF000A0D095C27FF'", "X''"]],
  ['VARBINARY(300)', ["X''", "X'00'", "X'0A'", "X'5C4E'", "X'FB'", "X'FCFFFF'", "REPEAT(X'09', 251)"]],
  ['TINYTEXT', ["'x'", "REPEAT('y', 250)", "REPEAT('y', 251)", "REPEAT('z', 255)"]],
  ['TEXT', ["REPEAT('\\n', 60000)", '\'a,b;"c"\'']],
  ['MEDIUMTEXT CHARACTER SET utf8mb4', ["REPEAT('é\\\\', 30000)", "''"]],
  ['LONGTEXT CHARACTER SET latin1', ["_latin1 X'80FE'"]],
  ['BLOB', ["REPEAT(X'00FF5C0A', 10000)"]],
  ['MEDIUMBLOB', ["REPEAT(X'5C', 70000)", "X''"]],
  ['LONGBLOB', ["X'1A00'"]],
  ["ENUM('a','it''s','ü','b,c')", ["'a'", "'it''s'", "'ü'", "'b,c'", "''"]],
  ["SET('x','y','ü')", ["''", "'x,y'", "'x'"]],
  ['JSON', ['\'{"b": 1.0,  "a":[null, "\\\\u00e9"]}\'', '\'"x"\'', "'null'"]],
  ['POINT', ["ST_GeomFromText('POINT(1 -2.5)', 4326)", "ST_GeomFromText('POINT(0 0)')"]],
  ['GEOMETRY', ["ST_GeomFromText('POLYGON((0 0,1 0,1 1,0 0))')", "ST_GeomFromText('MULTIPOINT(9 92,10 10)')"]],
  ['LINESTRING', ["ST_GeomFromText('LINESTRING(9 9,10 10,92 92)')"]],
];

const MARIADB_EDGES: TypeEdges = [
  ['INET6', ["'::1'", "'2001:db8::ff00:42:8329'", "'::ffff:192.0.2.128'"]],
  ['UUID', ["'123e4567-e89b-12d3-a456-426655440000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'"]],
];

const MYSQL_EDGES: TypeEdges = [
  ['VECTOR(3)', ["STRING_TO_VECTOR('[1.5,-0.1,3e-38]')", "X'000000000A090D5C27FF7F7F'"]],
  ['VARCHAR(20) COLLATE utf8mb4_0900_ai_ci', ["'no pad  '", "'É'"]],
  ['POINT SRID 4326', ["ST_GeomFromText('POINT(1 -2.5)', 4326)"]],
  ['GEOMCOLLECTION', ["ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')"]],
  ['VARCHAR(20) CHARACTER SET gb18030', ["_gb18030 X'8130813084318130'", "_gb18030 X'815C'"]],
  [
    'JSON',
    [
      `JSON_OBJECT('a', 1.50, 'é"\\\\', JSON_ARRAY(-2.00, 'x"\\\\\n', NULL, TRUE, 0.00, JSON_OBJECT('', 3.10)), 'e', 1e20, 'f', 2e0)`,
      'JSON_ARRAY(123456789012345678901234567890, -9223372036854775809, 18446744073709551615, 0.12345678901234567890)',
      'CAST(10.10 AS JSON)',
    ],
  ],
];

export function typeEdges({ isMariadb }: MariadbServer): TypeEdges {
  return [...COMMON_EDGES, ...(isMariadb ? MARIADB_EDGES : MYSQL_EDGES)];
}

/** The table `every`: a column c0, c1, ... for each type, rows of its values, the last one of NULLs. */
export async function fillEdges(schema: TestSchema, edges: TypeEdges): Promise<void> {
  // The platform wrote its odd values in a session that took everything.
  await schema.exec("SET sql_mode = 'ALLOW_INVALID_DATES', time_zone = '+00:00', NAMES utf8mb4");
  const columns = edges.map(([type], i) => `c${i} ${type}${/NULL$/.test(type) ? '' : ' NULL'}`);
  await schema.exec(
    `CREATE TABLE every (id INT NOT NULL PRIMARY KEY, ${columns.join(', ')}) CHARACTER SET utf8mb4 ROW_FORMAT=DYNAMIC`,
  );
  const longest = Math.max(...edges.map(([, values]) => values.length));
  for (let row = 0; row <= longest; row++) {
    const values = edges.map(([, literals]) =>
      row === longest ? 'NULL' : (literals[row % literals.length] as string),
    );
    await schema.exec(`INSERT INTO every VALUES (${row}, ${values.join(', ')})`);
  }
}

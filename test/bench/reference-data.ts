/**
 * Fills a MariaDB or MySQL schema with the risk platform's tables and data made inside the server from counted rows: the same
 * size always gives the same rows. About 44.75 rows and 11 KB of values per business, in the proportions that the reference
 * schema states (2 to 3 assessments a business, 5 to 10 factors and 5 trend points an assessment, ...).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise';
import { numbers } from '../support/mariadb';

/** Rows per business over all its tables, on average. */
export const ROWS_PER_BUSINESS = 44.75;
const TENANTS = 10;
/** Rows per business. */
const ASSESSMENTS = 2.5;
/** Rows per assessment. */
const FACTORS = 7.5;
const TRENDS = 5;
const ALERTS = 1.5;
const HISTORY = 2.5;

const SENTENCES = [
  'Revenue concentration above the peer median for the second quarter in a row',
  'Beneficial owner disclosed; register extract matches the declaration',
  'Adverse media screening returned no confirmed match for the directors',
  'Cash conversion cycle lengthened while payables stayed flat',
  'Licence renewal pending with the regional supervisor',
  'Website certificate expires within thirty days',
  'Sanctions list hit dismissed after a manual review of identifiers',
  'Auditor changed without an explanation in the notes',
  'Filing received late, penalty notice attached to the case',
  'Customer complaints trend is falling after the process change',
  'Cross-border payments to three new jurisdictions since the last review',
  'Registered address is shared with more than forty other companies',
];

const ELEMENTS = {
  category: [
    'financial',
    'operational',
    'regulatory',
    'reputational',
    'cybersecurity',
    'compliance',
    'strategic',
    'other',
  ],
  level: ['minimal', 'low', 'medium', 'high', 'critical'],
};

const hash = (seed: string, salt: string): string => `CRC32(CONCAT(${seed},'${salt}'))`;
const oneOf = (list: readonly string[], seed: string, salt: string): string =>
  `ELT(1+${hash(seed, salt)}%${list.length},${list.map((item) => `'${item}'`).join(',')})`;
const sentence = (seed: string, salt: string): string =>
  `CONCAT(${oneOf(SENTENCES, seed, salt)},'; reference ',${hash(seed, `${salt}n`)},'. ')`;
const uuid = (kind: string, seed: string): string =>
  `INSERT(INSERT(INSERT(INSERT(LEFT(SHA2(CONCAT('${kind}',${seed}),256),32),9,0,'-'),14,0,'-'),19,0,'-'),24,0,'-')`;
const score = (seed: string, salt: string): string => `(${hash(seed, salt)}%1000000)/10000`;
const moment = (seed: string, salt: string): string =>
  `TIMESTAMPADD(MICROSECOND,${hash(seed, salt)}%1000000,TIMESTAMPADD(SECOND,${hash(seed, `${salt}s`)}%30000000,'2025-06-01'))`;
const tenantOf = (business: string): string => uuid('tenant', `(${business})%${TENANTS}`);

interface TableFill {
  table: string;
  rows: number;
  columns: Record<string, string>;
}

/** One INSERT ... SELECT per table; `seq` counts from 1. */
function fills(businesses: number): TableFill[] {
  const assessments = Math.round(businesses * ASSESSMENTS);
  const business = (seq: string): string => `(((${seq})-1)%${businesses}+1)`;
  const assessment = (perAssessment: number): string => `(FLOOR((seq-1)/${perAssessment})+1)`;
  const owner = (perAssessment: number): Record<string, string> => ({
    tenant_id: tenantOf(business(assessment(perAssessment))),
    business_id: uuid('business', business(assessment(perAssessment))),
  });
  return [
    {
      table: 'tenants',
      rows: TENANTS,
      columns: {
        id: uuid('tenant', 'seq-1'),
        name: `CONCAT('Tenant ',seq)`,
        slug: `CONCAT('tenant-',seq)`,
        plan: `'enterprise'`,
      },
    },
    {
      table: 'businesses',
      rows: businesses,
      columns: {
        id: uuid('business', 'seq'),
        tenant_id: tenantOf('seq'),
        name: `CONCAT('Business ',seq)`,
        legal_name: `CONCAT('Business ',seq,' Holdings Limited')`,
        registration_number: `CONCAT('RN',seq)`,
        industry: oneOf(['banking', 'retail', 'software', 'logistics'], 'seq', 'i'),
        annual_revenue: `${hash('seq', 'r')}/7`,
        address: `JSON_OBJECT('street',CONCAT(seq,' Market Street'),'city',${oneOf(['Oslo', 'Lagos', 'Lima', 'Perth'], 'seq', 'c')})`,
        contact_info: `JSON_OBJECT('email',CONCAT('info',seq,'@example.com'))`,
        description: sentence('seq', 'd'),
        country_code: oneOf(['NO', 'NG', 'PE', 'AU'], 'seq', 'c'),
        created_at: moment('seq', 'bc'),
        updated_at: moment('seq', 'bu'),
      },
    },
    {
      table: 'risk_assessments',
      rows: assessments,
      columns: {
        id: uuid('assessment', 'seq'),
        tenant_id: tenantOf(business('seq')),
        business_id: uuid('business', business('seq')),
        business_name: `CONCAT('Business ',${business('seq')})`,
        status: `'completed'`,
        progress: '100',
        overall_score: score('seq', 'o'),
        overall_level: oneOf(ELEMENTS.level, 'seq', 'l'),
        confidence: `(${hash('seq', 'cf')}%10000)/10000`,
        category_scores: `JSON_OBJECT('financial',${score('seq', 'f')},'operational',${score('seq', 'p')},'regulatory',${score('seq', 'g')})`,
        recommendations: `JSON_ARRAY(${sentence('seq', 'r1')},${sentence('seq', 'r2')})`,
        external_data: `JSON_OBJECT('provider','registry','note',${sentence('seq', 'x')})`,
        website_content: `CONCAT(${['w1', 'w2', 'w3', 'w4', 'w5', 'w6'].map((salt) => sentence('seq', salt)).join(',')})`,
        assessment_method: `'model'`,
        source: `'scheduled'`,
        model_version: `'4.2.1'`,
        assessed_at: moment('seq', 'aa'),
        completed_at: moment('seq', 'ab'),
        created_at: moment('seq', 'ac'),
        updated_at: moment('seq', 'ad'),
      },
    },
    {
      table: 'risk_factor_scores',
      rows: Math.round(assessments * FACTORS),
      columns: {
        id: 'seq',
        assessment_id: uuid('assessment', assessment(FACTORS)),
        tenant_id: tenantOf(business(assessment(FACTORS))),
        factor_id: `CONCAT('factor_',seq%11)`,
        factor_name: `CONCAT('Factor ',seq%11)`,
        category: oneOf(ELEMENTS.category, 'seq', 'c'),
        score: score('seq', 's'),
        weight: `(${hash('seq', 'w')}%10000)/10000`,
        level: oneOf(ELEMENTS.level, 'seq', 'l'),
        explanation: sentence('seq', 'e'),
        evidence: `JSON_OBJECT('documents',${hash('seq', 'ev')}%9,'checked',true)`,
        calculated_at: moment('seq', 'fa'),
        created_at: moment('seq', 'fb'),
        updated_at: moment('seq', 'fc'),
      },
    },
    {
      table: 'risk_trends',
      rows: Math.round(assessments * TRENDS),
      columns: {
        id: 'seq',
        ...owner(TRENDS),
        category: oneOf(ELEMENTS.category, 'seq', 'c'),
        score: score('seq', 's'),
        level: oneOf(ELEMENTS.level, 'seq', 'l'),
        change_from: `(CAST(${hash('seq', 'ch')}%200000 AS SIGNED)-100000)/10000`,
        change_period: `CONCAT('P',1+seq%30,'D')`,
        recorded_at: `TIMESTAMPADD(MICROSECOND,seq,'2025-06-01')`,
        created_at: moment('seq', 'tc'),
      },
    },
    {
      table: 'risk_alerts',
      rows: Math.round(assessments * ALERTS),
      columns: {
        id: uuid('alert', 'seq'),
        ...owner(ALERTS),
        assessment_id: uuid('assessment', assessment(ALERTS)),
        risk_factor: `CONCAT('factor_',seq%10)`,
        level: oneOf(ELEMENTS.level, 'seq', 'l'),
        message: sentence('seq', 'm'),
        score: score('seq', 's'),
        threshold: '75',
        details: `JSON_OBJECT('rule',seq%40,'note',${sentence('seq', 'n')})`,
        triggered_at: moment('seq', 'ta'),
        created_at: moment('seq', 'tb'),
        updated_at: moment('seq', 'tc'),
      },
    },
    {
      table: 'risk_history',
      rows: Math.round(assessments * HISTORY),
      columns: {
        id: 'seq',
        ...owner(HISTORY),
        assessment_id: uuid('assessment', assessment(HISTORY)),
        change_type: oneOf(['created', 'updated', 'recalculated'], 'seq', 't'),
        score: score('seq', 's'),
        old_values: `JSON_OBJECT('score',${score('seq', 'o')})`,
        new_values: `JSON_OBJECT('score',${score('seq', 's')},'reason',${sentence('seq', 'r')})`,
        request_id: uuid('request', 'seq'),
        occurred_at: moment('seq', 'h'),
      },
    },
    {
      table: 'risk_config',
      rows: 1000,
      columns: {
        config_type: `'limits'`,
        config_key: `CONCAT('key_',seq)`,
        config_value: `JSON_OBJECT('limit',seq)`,
        updated_by: `'bench'`,
      },
    },
  ];
}

export interface ReferenceDataOptions {
  /** `mysql://` URL of a server, with a user that may create schemas. */
  serverUrl: string;
  schema: string;
  /** Rows wanted over all tables; met within 1 %. */
  rows: number;
}

/** Creates the schema anew and fills it. Resolves to the rows that it holds. */
export async function fillReferenceData({ serverUrl, schema, rows }: ReferenceDataOptions): Promise<number> {
  const connection = await createConnection({ uri: serverUrl, multipleStatements: true });
  try {
    await connection.query(
      `DROP DATABASE IF EXISTS ${schema}; CREATE DATABASE ${schema} CHARACTER SET utf8mb4; USE ${schema}`,
    );
    await connection.query(readFileSync(join(__dirname, '../support/risk-platform.sql'), 'utf8'));
    await connection.query('SET foreign_key_checks=0, unique_checks=0');
    let total = 0;
    for (const fill of fills(Math.max(1, Math.round(rows / ROWS_PER_BUSINESS))))
      total += await insert(connection, fill);
    await connection.query(
      'ANALYZE TABLE businesses, risk_assessments, risk_factor_scores, risk_trends, risk_alerts, risk_history',
    );
    return total;
  } finally {
    await connection.end();
  }
}

async function insert(connection: Connection, { table, rows, columns }: TableFill): Promise<number> {
  const names = Object.keys(columns).join(',');
  const values = Object.values(columns).join(',');
  await connection.query(`INSERT INTO ${table} (${names}) SELECT ${values} FROM ${await counted(connection, rows)}`);
  return rows;
}

/** MariaDB counts up to millions at no cost. */
async function counted(connection: Connection, rows: number): Promise<string> {
  const [[server]] = await connection.query<RowDataPacket[]>("SELECT VERSION() LIKE '%mariadb%' AS counts");
  return server?.counts === 1 ? `seq_1_to_${rows}` : numbers(1, rows);
}

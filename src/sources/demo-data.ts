/**
 * Made-up but plausible risk data for the reference tables: the same rows for the same options, one by one, parents before
 * children. Values are neutral to dialects: decimals and dates are text as `DECIMAL` and `DATETIME(6)` print them, booleans
 * 0 and 1. Pure: fixed dates, a seeded generator of its own.
 */
import { createSeededRandom, type SeededRandom } from './seeded-random';

export type DemoValue = null | string | number | bigint | Buffer;

export interface DemoRow {
  table: DemoTable;
  /** One per column of DEMO_COLUMNS. */
  values: DemoValue[];
}

export interface DemoDataOptions {
  businesses: number;
  /** Default 1. */
  seed?: number;
}

/** The stored columns of each table in the order of a row's values. */
export const DEMO_COLUMNS = {
  tenants: names('id name slug plan status data_retention_days settings created_at updated_at deleted_at'),
  businesses: names(
    'id tenant_id external_id name legal_name registration_number tax_id industry industry_code business_type founded_date ' +
      'employee_count annual_revenue address contact_info website_url description country_code status risk_level ' +
      'compliance_status metadata created_by created_at updated_at',
  ),
  risk_assessments: names(
    'id tenant_id business_id business_name assessment_type status progress overall_score overall_level alert_level ' +
      'confidence category_scores recommendations external_data metadata website_content assessment_method source ' +
      'model_version sanctions_check adverse_media_check assessed_at valid_until completed_at created_by created_at updated_at',
  ),
  risk_factor_scores: names(
    'id assessment_id tenant_id factor_id factor_name category score weight raw_value level confidence explanation evidence ' +
      'source calculated_at created_at updated_at',
  ),
  risk_trends: names('id tenant_id business_id category score level change_from change_period recorded_at created_at'),
  risk_alerts: names(
    'id tenant_id business_id assessment_id rule_id risk_factor level message score threshold details triggered_at ' +
      'acknowledged acknowledged_at acknowledged_by created_at updated_at',
  ),
  risk_history: names(
    'id tenant_id business_id assessment_id change_type score old_values new_values details changed_by request_id occurred_at',
  ),
  risk_thresholds: names(
    'id tenant_id name description category industry_code business_type risk_levels is_default is_active priority metadata ' +
      'created_by last_modified_by created_at updated_at',
  ),
  risk_config: names(
    'id tenant_id business_id config_type config_key config_value secret_value is_encrypted version updated_by created_at ' +
      'updated_at',
  ),
} as const satisfies Record<string, readonly string[]>;

export type DemoTable = keyof typeof DEMO_COLUMNS;

function names(columns: string): readonly string[] {
  return columns.split(' ');
}

const CATEGORIES = [
  'financial',
  'operational',
  'regulatory',
  'reputational',
  'cybersecurity',
  'compliance',
  'strategic',
  'other',
];
const FACTORS = [
  'cash_flow', 'debt_ratio', 'payment_history', 'revenue_trend', 'key_person', 'supply_chain', 'licences', 'sanctions_nexus',
  'beneficial_owners', 'adverse_media', 'court_cases', 'tls_posture', 'breach_history', 'domain_age', 'aml_programme',
  'filing_delays', 'market_position', 'geography', 'shell_indicators', 'tax_residence',
]; // prettier-ignore
const LEVELS = ['minimal', 'low', 'medium', 'high', 'critical'];
const INDUSTRIES = ['Logistics', 'Software', 'Retail', 'Construction', 'Catering', 'Energy', 'Health', 'Consulting'];
const FIRST = [
  'Alder',
  'Bright',
  'Cedar',
  'Dune',
  'Ever',
  'Falcon',
  'Granite',
  'Harbour',
  'Iris',
  'Juniper',
  'Åland',
  'Łódź',
];
const SECOND = [
  'Trading',
  'Systems',
  'Partners',
  'Works',
  'Foods',
  'Freight',
  'Labs',
  'Holding',
  'Services',
  '商会',
  'Söhne',
];
const FORMS = ['Ltd', 'GmbH', 'SA', 'BV', 'Inc', 'Oy', 'sp. z o.o.'];
const COUNTRIES = ['GB', 'DE', 'FR', 'NL', 'US', 'FI', 'PL', 'JP'];
const PLANS = ['free', 'basic', 'professional', 'enterprise'];

const BUSINESSES_PER_TENANT = 250;
/** 2026-01-01T00:00:00Z; nothing of the data is later than half a year after. */
const EPOCH_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;

export function* demoRows({ businesses, seed = 1 }: DemoDataOptions): Generator<DemoRow> {
  const data = new DemoData(createSeededRandom(seed));
  const tenants = Array.from({ length: Math.max(1, Math.ceil(businesses / BUSINESSES_PER_TENANT)) }, () => data.id());
  for (const [number, tenant] of tenants.entries()) yield data.tenant(tenant, number);
  yield* data.thresholds(null);
  for (const tenant of tenants) yield* data.thresholds(tenant);
  yield* data.platformConfig(tenants);
  for (let i = 0; i < businesses; i++) yield* data.business(tenants[i % tenants.length] as string, i);
}

/** What the rows of one assessment share. */
interface Assessment {
  id: string;
  tenant: string;
  business: string;
  atMs: number;
  score: number;
}

class DemoData {
  private readonly serials = new Map<DemoTable, bigint>();

  constructor(private readonly random: SeededRandom) {}

  id(): string {
    return this.random.uuid();
  }

  tenant(id: string, number: number): DemoRow {
    const { random } = this;
    const name = `${random.pick(FIRST)} ${random.pick(SECOND)}`;
    const at = EPOCH_MS - random.int(200, 900) * DAY_MS;
    const settings = json({ locale: random.pick(['en', 'de', 'fr']), alerts: random.chance(0.7) });
    const slug = `tenant-${number + 1}`;
    return row('tenants', [id, name, slug, random.pick(PLANS), 'active', 2555, settings, time(at), time(at), null]);
  }

  /** One default threshold a category, and for platforms a few that are not. */
  *thresholds(tenant: string | null): Generator<DemoRow> {
    const { random } = this;
    for (const category of CATEGORIES) {
      for (let priority = 0; priority < 2; priority++) {
        const at = time(EPOCH_MS - random.int(1, 300) * DAY_MS);
        const levels = json({ low: 20 + priority, medium: 45, high: random.int(60, 75), critical: 90 });
        yield row('risk_thresholds', [
          this.id(), tenant, `${category} ${priority === 0 ? 'default' : 'strict'}`, null, category, null, null, levels,
          priority === 0 ? 1 : 0, 1, priority, null, 'system', 'system', at, at,
        ]); // prettier-ignore
      }
    }
  }

  *platformConfig(tenants: readonly string[]): Generator<DemoRow> {
    for (const tenant of [null, ...tenants]) {
      for (const key of ['batch_size', 'model', 'retry_limit', 'escalation', 'scoring.weights']) {
        yield this.config({ tenant, business: null, type: 'scoring', key });
      }
    }
  }

  private config(of: { tenant: string | null; business: string | null; type: string; key: string }): DemoRow {
    const { random } = this;
    const at = time(EPOCH_MS - random.int(1, 200) * DAY_MS);
    const secret = random.chance(0.3) ? random.bytes(random.int(16, 64)) : null;
    const value = json({ value: random.int(1, 500), since: at.slice(0, 10) });
    return row('risk_config', [
      this.serial('risk_config'), of.tenant, of.business, of.type, of.key, value, secret, secret ? 1 : 0,
      random.int(1, 9), 'system', at, at,
    ]); // prettier-ignore
  }

  *business(tenant: string, number: number): Generator<DemoRow> {
    const { random } = this;
    const id = this.id();
    const name = `${random.pick(FIRST)} ${random.pick(SECOND)} ${number + 1}`;
    yield this.businessRow({ id, tenant, name, number });
    for (let left = random.int(2, 3); left > 0; left--) yield* this.assessment(id, tenant, name);
    if (number % 20 === 0) yield this.config({ tenant, business: id, type: 'override', key: 'review_days' });
  }

  private businessRow({
    id,
    tenant,
    name,
    number,
  }: {
    id: string;
    tenant: string;
    name: string;
    number: number;
  }): DemoRow {
    const { random } = this;
    const at = EPOCH_MS - random.int(100, 700) * DAY_MS;
    const country = random.pick(COUNTRIES);
    const host = `business-${number + 1}.example`;
    return row('businesses', [
      id, tenant, random.chance(0.5) ? `crm-${number + 1}` : null, name, `${name} ${random.pick(FORMS)}`,
      `${country}${100_000 + number}`, random.chance(0.8) ? `T${random.int(1e6, 9e6)}` : null, random.pick(INDUSTRIES),
      String(random.int(1000, 9999)), 'company', time(at - random.int(300, 9000) * DAY_MS).slice(0, 10),
      random.int(1, 5000), random.decimal(1e4, 5e7, 2), json({ city: random.pick(FIRST), country }),
      json({ email: `office@${host}` }), `https://${host}/`, null, country, 'active', random.pick(LEVELS), 'pending', null,
      null, time(at), time(at + random.int(1, 90) * DAY_MS),
    ]); // prettier-ignore
  }

  private *assessment(business: string, tenant: string, name: string): Generator<DemoRow> {
    const { random } = this;
    const atMs = EPOCH_MS + random.int(0, 150 * 86_400) * 1000 + random.int(0, 999);
    const assessment = { id: this.id(), tenant, business, atMs, score: random.int(0, 1_000_000) / 10_000 };
    yield this.assessmentRow(assessment, name);
    for (const factor of random.sample(FACTORS, random.int(5, 10))) yield this.factor(assessment, factor);
    for (let i = 0; i < 5; i++) yield this.trend(assessment, i);
    for (let left = random.int(1, 2); left > 0; left--) yield this.alert(assessment);
    for (let left = random.int(2, 3); left > 0; left--) yield this.history(assessment);
  }

  private assessmentRow({ id, tenant, business, atMs, score }: Assessment, name: string): DemoRow {
    const { random } = this;
    const categories = json(
      Object.fromEntries(CATEGORIES.slice(0, 4).map((category) => [category, random.int(0, 100)])),
    );
    const advice = json(random.chance(0.5) ? ['Review the owners.', 'Ask for the latest accounts.'] : []);
    return row('risk_assessments', [
      id, tenant, business, name, 'standard', 'completed', 100, score.toFixed(4), levelOf(score), levelOf(score),
      random.decimal(0.5, 1, 4), categories, advice, null, null, null, 'automated', 'platform', 'v2.4',
      random.chance(0.9) ? 1 : 0, random.chance(0.6) ? 1 : 0, time(atMs), time(atMs + 365 * DAY_MS), time(atMs + 4200), null,
      time(atMs - 1500), time(atMs + 4200),
    ]); // prettier-ignore
  }

  private factor({ id, tenant, atMs }: Assessment, factor: string): DemoRow {
    const { random } = this;
    const score = random.int(0, 1_000_000) / 10_000;
    const evidence = random.chance(0.3)
      ? json({ documents: random.int(1, 9), checked: time(atMs).slice(0, 10) })
      : null;
    return row('risk_factor_scores', [
      this.serial('risk_factor_scores'), id, tenant, factor, factor.replaceAll('_', ' '),
      CATEGORIES[FACTORS.indexOf(factor) % CATEGORIES.length] as string, score.toFixed(4), random.decimal(0, 1, 4),
      random.decimal(0, 5000, 4), levelOf(score), random.decimal(0.4, 1, 4),
      `The ${factor.replaceAll('_', ' ')} of the business scores ${score.toFixed(1)}.`, evidence, 'model', time(atMs),
      time(atMs), time(atMs),
    ]); // prettier-ignore
  }

  private trend({ tenant, business, atMs, score }: Assessment, number: number): DemoRow {
    const { random } = this;
    const change = random.int(-150_000, 150_000) / 10_000;
    const then = Math.min(100, Math.max(0, score + change));
    const at = time(atMs - number * 7 * DAY_MS);
    return row('risk_trends', [
      this.serial('risk_trends'), tenant, business, CATEGORIES[number] as string, then.toFixed(4), levelOf(then),
      change.toFixed(4), '7d', at, at,
    ]); // prettier-ignore
  }

  private alert({ id, tenant, business, atMs, score }: Assessment): DemoRow {
    const { random } = this;
    const acknowledged = random.chance(0.4);
    const factor = random.pick(FACTORS);
    return row('risk_alerts', [
      this.id(), tenant, business, random.chance(0.95) ? id : null, `rule-${random.int(1, 40)}`, factor, levelOf(score),
      `The ${factor.replaceAll('_', ' ')} is beyond its threshold.`, score.toFixed(4), random.decimal(40, 90, 4), null,
      time(atMs + 5000), acknowledged ? 1 : 0, acknowledged ? time(atMs + DAY_MS) : null, null, time(atMs + 5000),
      time(atMs + (acknowledged ? DAY_MS : 5000)),
    ]); // prettier-ignore
  }

  private history({ id, tenant, business, atMs, score }: Assessment): DemoRow {
    const { random } = this;
    const before = random.int(0, 1_000_000) / 10_000;
    return row('risk_history', [
      this.serial('risk_history'), tenant, business, random.chance(0.95) ? id : null, 'score_changed', score.toFixed(4),
      json({ score: before }), json({ score }), null, 'system', random.chance(0.5) ? this.id() : null,
      time(atMs + random.int(0, 30) * DAY_MS),
    ]); // prettier-ignore
  }

  private serial(table: DemoTable): bigint {
    const next = (this.serials.get(table) ?? 0n) + 1n;
    this.serials.set(table, next);
    return next;
  }
}

function row(table: DemoTable, values: DemoValue[]): DemoRow {
  return { table, values };
}

function json(value: unknown): string {
  return JSON.stringify(value);
}

/** As DATETIME(6) prints it. */
function time(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1).replace('T', ' ')}000`;
}

function levelOf(score: number): string {
  return LEVELS[Math.min(4, Math.floor(score / 20))] as string;
}

/**
 * How a source's tables map to data types, and how each table's rows belong to a business and a tenant.
 * Any schema can be mapped: nothing else in the code knows a table's name.
 */
import type { DataType } from './data-type';

/**
 * How a row belongs to a business (or tenant): by a column of its own, or by following a column to another mapped
 * table, whose ownership is then its own.
 */
export type Ownership =
  | { kind: 'COLUMN'; column: string }
  | { kind: 'PATH'; column: string; referencedTable: string; referencedColumn: string };

export interface TableMapping {
  dataType: DataType;
  table: string;
  /** Names that it had before: backups that know it under one of these are of this table. */
  formerly?: readonly string[];
  /** Absent: the table's rows belong to no single business. */
  business?: Ownership;
  /** Absent: the table's rows belong to no single tenant. */
  tenant?: Ownership;
}

export type SourceMapping = readonly TableMapping[];

const owned = (column: string): Ownership => ({ kind: 'COLUMN', column });

/** The mapping of the reference risk platform, used where a source configures none. */
export const DEFAULT_MAPPING: SourceMapping = [
  { dataType: 'BUSINESSES', table: 'tenants', tenant: owned('id') },
  { dataType: 'BUSINESSES', table: 'businesses', business: owned('id'), tenant: owned('tenant_id') },
  { dataType: 'ASSESSMENTS', table: 'risk_assessments', business: owned('business_id'), tenant: owned('tenant_id') },
  {
    dataType: 'FACTORS',
    table: 'risk_factor_scores',
    business: { kind: 'PATH', column: 'assessment_id', referencedTable: 'risk_assessments', referencedColumn: 'id' },
    tenant: owned('tenant_id'),
  },
  { dataType: 'TRENDS', table: 'risk_trends', business: owned('business_id'), tenant: owned('tenant_id') },
  { dataType: 'ALERTS', table: 'risk_alerts', business: owned('business_id'), tenant: owned('tenant_id') },
  { dataType: 'HISTORY', table: 'risk_history', business: owned('business_id'), tenant: owned('tenant_id') },
  { dataType: 'CONFIG', table: 'risk_thresholds', tenant: owned('tenant_id') },
  { dataType: 'CONFIG', table: 'risk_config', business: owned('business_id'), tenant: owned('tenant_id') },
];

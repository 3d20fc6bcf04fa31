/**
 * The newest ids that this page has seen, so that the example tabs follow each other without copying: in the variables,
 * `"LATEST_BACKUP"` stands for the id of the backup of the last answer that held one; likewise for jobs and restores.
 */
const PLACEHOLDERS = { LATEST_BACKUP: 'backup', LATEST_JOB: 'job', LATEST_RESTORE: 'restore' } as const;
type Kind = (typeof PLACEHOLDERS)[keyof typeof PLACEHOLDERS];

export interface LatestIds {
  /** Looks into the payloads of a mutation's or query's answer. */
  remember: (result: unknown) => void;
  /** `variables` with every placeholder replaced; `missing` names what is not known yet. */
  fillIn: (variables: unknown) => { variables: unknown; missing: Kind[] };
}

export function createLatestIds(): LatestIds {
  const ids = new Map<Kind, string>();
  return {
    remember(result) {
      for (const payload of Object.values(group(group(result).data))) {
        for (const kind of Object.values(PLACEHOLDERS)) {
          const { id } = group(group(payload)[kind]);
          if (typeof id === 'string') ids.set(kind, id);
        }
      }
    },
    fillIn(variables) {
      const missing = new Set<Kind>();
      const filled = replace(variables, (kind) => ids.get(kind) ?? void missing.add(kind));
      return { variables: filled, missing: [...missing] };
    },
  };
}

function group(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function replace(value: unknown, idOf: (kind: Kind) => string | void): unknown {
  if (typeof value === 'string' && value in PLACEHOLDERS) {
    return idOf(PLACEHOLDERS[value as keyof typeof PLACEHOLDERS]) ?? value;
  }
  if (Array.isArray(value)) return value.map((item) => replace(item, idOf));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, replace(item, idOf)]));
}

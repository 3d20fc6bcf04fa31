/**
 * How much one operation may ask for, as validation rules that HTTP and WebSocket share. Fragments count where they are spread.
 * (The number of tokens is limited by the parser.)
 */
import {
  GraphQLError, Kind, type ASTVisitor, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode,
  type ValidationContext, type ValidationRule,
} from 'graphql'; // prettier-ignore

export interface OperationLimits {
  maxQueryDepth: number;
  maxQueryTokens: number;
  maxAliases: number;
}

/** Rules to use beside GraphQL's own. */
export function limitRules({ maxQueryDepth, maxAliases }: OperationLimits): ValidationRule[] {
  const limit = (measure: Measure, max: number, what: string) => (context: ValidationContext) =>
    visitOperations(context, { measure, max, what });
  return [limit(MEASURES.depth, maxQueryDepth, 'levels'), limit(MEASURES.aliases, maxAliases, 'aliases')];
}

/** The parser's limit, where that is what an error says: graphql-js tells it by its words alone. */
export function tokenLimitOf({ message }: GraphQLError): number | null {
  const [, limit] = /^Syntax Error: Document contains more tha[nt] (\d+) tokens/.exec(message) ?? [];
  return limit === undefined ? null : Number(limit);
}

/** How a field adds to what the fields below it have: levels add up downwards, aliases over all fields. */
interface Measure {
  ofField(own: { isAliased: boolean; isIntrospection: boolean }, below: number): number;
  ofSet(fields: readonly number[]): number;
}

const MEASURES = {
  depth: {
    // because: introspection is deep by nature and bounded by the schema
    ofField: ({ isIntrospection }, below) => (isIntrospection ? 0 : below + 1),
    ofSet: (fields) => fields.reduce((most, field) => Math.max(most, field), 0),
  },
  aliases: {
    ofField: ({ isAliased }, below) => below + (isAliased ? 1 : 0),
    ofSet: (fields) => fields.reduce((sum, field) => sum + field, 0),
  },
} satisfies Record<string, Measure>;

interface Limit {
  measure: Measure;
  max: number;
  /** What is counted, for the message. */
  what: string;
}

function visitOperations(context: ValidationContext, { measure, max, what }: Limit): ASTVisitor {
  const fragments = fragmentsOf(context.getDocument());
  return {
    OperationDefinition(operation) {
      const size = createMeter(measure, fragments)(operation.selectionSet);
      if (size <= max) return;
      const message = `The operation has ${size} ${what}, at most ${max} are allowed.`;
      context.reportError(new GraphQLError(message, { nodes: [operation], extensions: { limit: max } }));
    },
  };
}

function fragmentsOf(document: DocumentNode): Map<string, FragmentDefinitionNode> {
  const fragments = document.definitions.filter((node) => node.kind === Kind.FRAGMENT_DEFINITION);
  return new Map(fragments.map((fragment) => [fragment.name.value, fragment]));
}

/** Measures each fragment once, so that fragments spread within fragments cost no more than they are long. */
function createMeter(measure: Measure, fragments: Map<string, FragmentDefinitionNode>) {
  const known = new Map<string, number>();

  const ofFragment = (name: string): number => {
    const size = known.get(name);
    if (size !== undefined) return size;
    known.set(name, 0); // because: a fragment that spreads itself is refused by another rule, and must not hang this one
    const fragment = fragments.get(name);
    const measured = fragment ? ofSet(fragment.selectionSet) : 0;
    known.set(name, measured);
    return measured;
  };
  const ofSet = (set: SelectionSetNode): number =>
    measure.ofSet(
      set.selections.map((selection) => {
        if (selection.kind === Kind.FRAGMENT_SPREAD) return ofFragment(selection.name.value);
        if (selection.kind === Kind.INLINE_FRAGMENT) return ofSet(selection.selectionSet);
        const own = {
          isAliased: selection.alias !== undefined,
          isIntrospection: selection.name.value.startsWith('__'),
        };
        return measure.ofField(own, selection.selectionSet ? ofSet(selection.selectionSet) : 0);
      }),
    );
  return ofSet;
}

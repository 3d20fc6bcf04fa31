/** Node: everything with an id of its own. */
import { Field, ID, InterfaceType } from 'type-graphql';

@InterfaceType({
  description: 'A thing with an id, to be found again by `node`.',
  resolveType: (value: object) => value.constructor.name.replace(/View$/, ''),
})
export abstract class Node {
  @Field(() => ID, { description: 'Opaque; the same for the life of the thing.' })
  readonly id!: string;
}

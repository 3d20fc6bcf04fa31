/** What a caller can cause and mend, as data in a payload. */
import { Field, InterfaceType, ObjectType } from 'type-graphql';
import { isAppError, isPublicErrorCode, type AppError, type PublicErrorCode } from '../../domain/errors';
import { problemsOf } from '../../services/input-problems';
import { ErrorCodeEnum } from '../enums';

@InterfaceType({ description: 'What is wrong and how to mend it.', resolveType: () => 'InputError' })
export abstract class UserError {
  @Field(() => String)
  readonly message!: string;

  @Field(() => ErrorCodeEnum)
  readonly code!: PublicErrorCode;

  @Field(() => [String], { nullable: true, description: 'The input field that caused it, outermost first.' })
  readonly path!: readonly string[] | null;

  @Field(() => String, { nullable: true, description: 'What to do next.' })
  readonly hint!: string | null;
}

/** The only kind so far; kinds that tell more may come beside it. */
@ObjectType({ implements: UserError, description: 'What a caller can cause and mend.' })
export class InputError extends UserError {}

export interface FailedPayload {
  errors: UserError[];
}

/** The payload of `work`, or, where it threw what a caller can mend, that as data. Anything else is passed on. */
export async function asPayload<Payload extends object>(
  work: () => Promise<Payload>,
): Promise<(Payload & FailedPayload) | FailedPayload> {
  try {
    return { ...(await work()), errors: [] };
  } catch (error) {
    if (!isAppError(error) || !isPublicErrorCode(error.code)) throw error;
    return { errors: problemsOf(error).map(toUserError) };
  }
}

function toUserError({ message, code, path, hint }: AppError): UserError {
  return { message, code: code as PublicErrorCode, path: path ?? null, hint: hint ?? null };
}

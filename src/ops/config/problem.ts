/** What is wrong with the settings, said so that whoever wrote them can mend it. Never holds a secret's value. */
import { AppError } from '../../domain/errors';

export interface Problem {
  /** The setting's path (`sources.0.url`), or the environment variable that gave it. */
  where: string;
  message: string;
}

export function configInvalid(problems: readonly Problem[], file: string | undefined): AppError {
  const lines = problems.map((problem) => `  ${problem.where || 'the file'}: ${problem.message}`);
  const from = file === undefined ? 'the environment' : `${file} and the environment`;
  return new AppError('CONFIG_INVALID', `The settings can't be used:\n${lines.join('\n')}`, {
    hint: `Mend the settings (read from ${from}); README.md lists them all.`,
  });
}

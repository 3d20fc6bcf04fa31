/** Asks for a secret on a terminal: what is typed is not shown. Ctrl-C and the end of the input cancel. */
import { createInterface } from 'node:readline';
import { Writable, type Readable } from 'node:stream';
import { AppError } from '../../domain/errors';

export function askHidden(question: string, streams: { input: Readable; output: Writable }): Promise<string> {
  const { input, output } = streams;
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  output.write(question);
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input, output: nowhere, terminal: true, historySize: 0 });
    let answer: string | undefined;
    lines.once('line', (line) => {
      answer = line;
      lines.close();
    });
    lines.once('SIGINT', () => lines.close());
    lines.once('close', () => {
      output.write('\n');
      if (answer === undefined) reject(new AppError('CANCELLED', 'No passphrase was given.'));
      else resolve(answer);
    });
  });
}

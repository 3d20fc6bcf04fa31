/**
 * Whoever reads what a command prints may stop before it is all said (`| head`, `| grep -q`). Then the rest is dropped, and what the
 * command does goes on to its end.
 */
export function outliveClosedPipes(streams: readonly NodeJS.WritableStream[]): void {
  for (const stream of streams) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

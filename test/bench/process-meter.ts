/** Runs pipelines of commands and measures them: wall time, CPU time, and the peak resident memory that the kernel kept for each process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { finished } from 'node:stream/promises';

export interface Measurement {
  wallSeconds: number;
  /** Sum over the pipeline's processes of each one's peak resident memory, MiB. */
  peakMib: number;
  /** User and system time of the pipeline's processes, as last seen. Says more than wall where others use the machine too. */
  cpuSeconds: number;
}

/** Ticks a second in /proc on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

/** User and system time of a live process so far, all its threads; 0 when it has gone. */
export function cpuSecondsOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return 0; // because a process that ended between two looks is no fault
  }
}

/** Peak resident memory of a live process in MiB (VmHWM); 0 when it has gone. */
export function peakResidentMib(pid: number): number {
  try {
    const match = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match ? Number(match[1]) / 1024 : 0;
  } catch {
    return 0; // because a process that ended between two looks is no fault
  }
}

/** Runs `commands` as one pipeline, the last one's output into `outputFile`. Throws when any of them fails. */
export async function measurePipeline(commands: readonly string[][], output?: string): Promise<Measurement> {
  const started = performance.now();
  const children = commands.map(([command, ...args]) =>
    spawn(command as string, args, { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const peaks = new Map<ChildProcess, number>();
  const cpu = new Map<ChildProcess, number>();
  const look = setInterval(() => {
    for (const child of children) {
      peaks.set(child, Math.max(peaks.get(child) ?? 0, peakResidentMib(child.pid ?? 0)));
      cpu.set(child, Math.max(cpu.get(child) ?? 0, cpuSecondsOf(child.pid ?? 0)));
    }
  }, 50);
  try {
    await Promise.all([
      connect(children, output),
      ...children.map((child, index) => exited(child, commands[index] as string[])),
    ]);
  } finally {
    clearInterval(look);
  }
  return {
    wallSeconds: (performance.now() - started) / 1000,
    peakMib: [...peaks.values()].reduce((sum, peak) => sum + peak, 0),
    cpuSeconds: [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0),
  };
}

async function connect(children: readonly ChildProcess[], output: string | undefined): Promise<void> {
  children[0]?.stdin?.end();
  for (let index = 1; index < children.length; index++)
    children[index - 1]?.stdout?.pipe(children[index]?.stdin as NodeJS.WritableStream);
  const last = children[children.length - 1]?.stdout;
  if (!last) return;
  if (output === undefined) last.resume();
  else await finished(last.pipe(createWriteStream(output)));
}

function exited(child: ChildProcess, command: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command.join(' ')} ended with ${code}`)),
    );
  });
}

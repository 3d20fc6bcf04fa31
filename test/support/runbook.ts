/** Reads a runbook: its chapters' commands, each with what its reader is told to see, and the variables that it explains. */
import { readFileSync } from 'node:fs';

export interface RunbookStep {
  /** A fenced block, as written. */
  script: string;
  /** What "You see" promises in backticks, in any order; `…` stands for anything. What is in parentheses is no promise. */
  sees: RegExp[];
  /** "Exit code n", else 0. */
  exitCode: number;
}

export interface Runbook {
  /** By number. */
  chapters: Map<number, RunbookStep[]>;
  variables: string[];
}

export function readRunbook(path: string): Runbook {
  const text = readFileSync(path, 'utf8');
  const chapters = new Map<number, RunbookStep[]>();
  for (const chapter of text.split(/^## /m)) {
    const [, number] = /^(\d+)\. /.exec(chapter) ?? [];
    if (number !== undefined) chapters.set(Number(number), stepsOf(chapter));
  }
  return { chapters, variables: [...text.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, name]) => name!) };
}

function stepsOf(chapter: string): RunbookStep[] {
  return [...chapter.matchAll(/^```sh\n([\s\S]*?)^```\n([\s\S]*?)(?=^```sh|(?![\s\S]))/gm)].map(([, script, after]) => {
    const promise = after!.split('\n\n').find((paragraph) => paragraph.trim().startsWith('You see ')) ?? '';
    const binding = promise.trim().startsWith('You see either') ? '' : promise.replace(/\([^)]*\)/g, '');
    return {
      script: script!,
      sees: [...binding.matchAll(/`([^`]+)`/g)].map(([, seen]) => patternOf(seen!)),
      exitCode: Number(/Exit code (\d+)/.exec(promise)?.[1] ?? 0),
    };
  });
}

function patternOf(seen: string): RegExp {
  return new RegExp(seen.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('…', '.*'));
}

import type { ChildProcess } from 'node:child_process';

/** What a program writes on stderr. */
interface Output {
  /** The last of it. */
  readonly text: string;
  /** Resolves when it holds `part`. */
  until(part: string): Promise<void>;
}

export function collect(child: ChildProcess): Output {
  let text = '';
  let waiting: (() => void)[] = [];
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-4000);
    for (const look of waiting) look();
  });
  return {
    get text() {
      return text;
    },
    until: (part) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!text.includes(part)) return;
          waiting = [];
          resolve();
        };
        waiting.push(look);
        look();
      }),
  };
}

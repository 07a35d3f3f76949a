export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * The logging port. The message is constant text; everything that varies goes into `fields`. Fields never hold secret
 * values; as a net, values under names that look like credentials are replaced when a record is written.
 */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every record. */
  child(fields: LogFields): Logger;
}

export const silentLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silentLogger,
};

const rank: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 };
const secretName = /(password|passwd|token|secret|authorization|cookie|credential|private.?key|dockerconfig)/i;

export interface LineLoggerOptions {
  readonly level?: LogLevel;
  readonly now?: () => number;
}

/** Writes one JSON object a line through `write` (which receives the line with its newline). */
export function lineLogger(write: (line: string) => void, options: LineLoggerOptions = {}): Logger {
  const threshold = rank[options.level ?? 'info'];
  const now = options.now ?? Date.now;
  const build = (bound: LogFields): Logger => {
    const at =
      (level: LogLevel) =>
      (message: string, fields: LogFields = {}): void => {
        if (rank[level] < threshold) return;
        const record = { time: new Date(now()).toISOString(), level, message, ...bound, ...fields };
        write(`${JSON.stringify(record, redact)}\n`);
      };
    return {
      debug: at('debug'),
      info: at('info'),
      warn: at('warn'),
      error: at('error'),
      child: (fields) => build({ ...bound, ...fields }),
    };
  };
  return build({});
}

function redact(key: string, value: unknown): unknown {
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  if (typeof value === 'string' && key !== '' && secretName.test(key)) return '[redacted]';
  return value;
}

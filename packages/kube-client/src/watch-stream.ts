import { parseJson } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';

/** An object is at most 3 MiB; an event adds little to it. */
const maxLineBytes = 16 * 1024 * 1024;
const newline = 0x0a;

/**
 * Decodes one JSON value a line. Chunks may end anywhere, also inside a character: lines are cut as bytes, and no byte of
 * a multi-byte character in UTF-8 is a newline.
 *
 * @throws ArcError `TruncatedStream` when the stream ends inside a line, `InvalidStream`, `ResponseTooLarge`
 */
export async function* decodeLines(chunks: AsyncIterable<Uint8Array>, limit = maxLineBytes): AsyncIterable<unknown> {
  let pending: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      pending.push(chunk.subarray(start, end));
      const line = Buffer.concat(pending).toString('utf8').trim();
      pending = [];
      size = 0;
      start = end + 1;
      if (line !== '') yield parse(line);
    }
    if (start === chunk.length) continue;
    pending.push(chunk.subarray(start));
    size += chunk.length - start;
    if (size > limit) throw new ArcError('ResponseTooLarge', `an event of a watch exceeds ${limit} bytes`);
  }
  if (size > 0) throw new ArcError('TruncatedStream', 'the stream ended inside an event', { retryable: true });
}

function parse(line: string): unknown {
  try {
    return parseJson(line);
  } catch (error) {
    throw new ArcError('InvalidStream', 'an event of a watch is not JSON', { retryable: true, cause: error });
  }
}

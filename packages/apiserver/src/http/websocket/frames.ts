/** Frames of RFC 6455, as far as a server needs them that sends text and takes no messages. */

const opcodes = { text: 0x1, close: 0x8, ping: 0x9, pong: 0xa } as const;
const finalFragment = 0x80;
const masked = 0x80;
const maxControlBytes = 125;

export type FrameType = keyof typeof opcodes;

/** One unfragmented, unmasked frame, as servers send them (RFC 6455, 5.2). */
export function encodeFrame(type: FrameType, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head = length <= maxControlBytes ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head[0] = finalFragment | opcodes[type];
  if (head.length === 2) head[1] = length;
  else if (head.length === 4) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
}

/** The payload of a close frame (RFC 6455, 7.4). */
export function closePayload(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}

/** A control frame of a client; of messages, which nobody reads, only that there was one. */
interface ClientFrame {
  readonly type: 'close' | 'ping' | 'pong' | 'message';
  /** Unmasked; empty for messages. */
  readonly payload: Uint8Array;
}

/** Finds the frames in what a client sends. Keeps at most the head of one frame, or a control frame, in memory. */
export interface FrameReader {
  /** @throws Error when it is no frame a client may send. */
  read(chunk: Uint8Array): ClientFrame[];
}

export function frameReader(): FrameReader {
  let rest = Buffer.alloc(0);
  /** Bytes of a message that are still to come. */
  let skipping = 0n;
  return {
    read(chunk) {
      let bytes = rest.length === 0 ? Buffer.from(chunk) : Buffer.concat([rest, chunk]);
      const frames: ClientFrame[] = [];
      for (;;) {
        const skipped = skipping < BigInt(bytes.length) ? Number(skipping) : bytes.length;
        skipping -= BigInt(skipped);
        bytes = bytes.subarray(skipped);
        const head = headOf(bytes);
        if (head === undefined) break;
        if (!head.control) {
          frames.push({ type: 'message', payload: Buffer.alloc(0) });
          bytes = bytes.subarray(head.size);
          skipping = head.length;
          continue;
        }
        const end = head.size + Number(head.length);
        if (bytes.length < end) break;
        frames.push({
          type: controlType(head.opcode),
          payload: unmasked(bytes.subarray(head.size, end), bytes.subarray(head.size - 4, head.size)),
        });
        bytes = bytes.subarray(end);
      }
      rest = Buffer.from(bytes);
      return frames;
    },
  };
}

interface Head {
  readonly opcode: number;
  readonly control: boolean;
  /** With the mask. */
  readonly size: number;
  readonly length: bigint;
}

/** Undefined when more bytes are needed. */
function headOf(bytes: Buffer): Head | undefined {
  const [first, second] = bytes;
  if (first === undefined || second === undefined) return undefined;
  const opcode = first & 0x0f;
  const control = (opcode & 0x8) !== 0;
  const short = second & 0x7f;
  if ((first & 0x70) !== 0) throw new Error('a frame uses extensions nobody agreed on');
  if ((second & masked) === 0) throw new Error('a frame of a client is not masked');
  if (control && (short > maxControlBytes || (first & finalFragment) === 0)) throw new Error('a control frame is too long or in pieces');
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const size = 2 + extended + 4;
  if (bytes.length < size) return undefined;
  const length = extended === 0 ? BigInt(short) : extended === 2 ? BigInt(bytes.readUInt16BE(2)) : bytes.readBigUInt64BE(2);
  return { opcode, control, size, length };
}

function controlType(opcode: number): 'close' | 'ping' | 'pong' {
  for (const type of ['close', 'ping', 'pong'] as const) if (opcodes[type] === opcode) return type;
  throw new Error(`no such control frame: ${opcode}`);
}

function unmasked(payload: Uint8Array, mask: Uint8Array): Uint8Array {
  return payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0));
}

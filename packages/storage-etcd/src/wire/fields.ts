import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** One method of an etcd service: its gRPC path and how its messages look on the wire (etcd's `rpc.proto`). */
export interface Method<Request, Response> {
  readonly path: string;
  encode(request: Request): Uint8Array;
  decode(bytes: Uint8Array): Response;
}

/** Reads one field into the message; false when it does not know the field, which is then skipped. */
export type FieldReader = (field: number, reader: BinaryReader) => boolean;

/** Reads a message from the beginning of `bytes`. */
export function readMessage(bytes: Uint8Array, read: FieldReader): void {
  readFields(new BinaryReader(bytes), bytes.length, read);
}

/** Reads an embedded message, whose tag has just been read. */
export function readEmbedded(reader: BinaryReader, read: FieldReader): void {
  readFields(reader, reader.uint32(), read);
}

function readFields(reader: BinaryReader, length: number, read: FieldReader): void {
  const end = reader.pos + length;
  while (reader.pos < end) {
    const [field, type] = reader.tag();
    if (!read(field, reader)) reader.skip(type, field);
  }
}

/** A 64-bit integer that fits a number: revisions, versions, sizes. */
export function readInteger(reader: BinaryReader): number {
  return Number(reader.int64());
}

/** Writes fields that differ from proto3's defaults, in the order called. */
export class FieldWriter {
  readonly #writer = new BinaryWriter();

  integer(field: number, value: number | undefined): this {
    if (value !== undefined && value !== 0) this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  /** Writes a member of a oneof, where a default value says something too. */
  chosenInteger(field: number, value: number): this {
    this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  flag(field: number, value: boolean | undefined): this {
    if (value === true) this.#writer.tag(field, WireType.Varint).bool(true);
    return this;
  }

  bytes(field: number, value: Uint8Array | undefined): this {
    if (value !== undefined && value.length > 0) this.#writer.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }

  text(field: number, value: string): this {
    if (value !== '') this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  /** Writes an embedded message; an empty one too, since its presence says something. */
  message(field: number, bytes: Uint8Array): this {
    this.#writer.tag(field, WireType.LengthDelimited).bytes(bytes);
    return this;
  }

  finish(): Uint8Array {
    return this.#writer.finish();
  }
}

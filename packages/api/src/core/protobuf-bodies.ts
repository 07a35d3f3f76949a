import { protobufDecoderOf } from '@arc/apimachinery';
import type { ProtobufDecoder } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';

/** The part of a definition by which a kind accepts protobuf request bodies, as kubectl sends them from 1.32 on. */
export function protobufBodies(apiVersion: string, kind: string): { readonly protobuf: ProtobufDecoder } {
  const protobuf = protobufDecoderOf(apiVersion, kind);
  if (protobuf === undefined) throw new ArcError('InvalidKind', `there is no protobuf message for ${apiVersion} ${kind}`);
  return { protobuf };
}

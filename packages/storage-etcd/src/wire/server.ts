import type { BinaryReader } from '@bufbuild/protobuf/wire';
import { FieldWriter, readEmbedded, readInteger, readMessage, type Method } from './fields.ts';

export interface StatusResponse {
  /** `0` where there is no cluster: kine belongs to none. */
  readonly clusterId: string;
  /** Of the etcd program, as in `3.4.23`. */
  readonly version: string;
  /** Of its database file, bytes. */
  readonly dbSize: number;
  /** The id of the member it follows; `0` for none. */
  readonly leader: string;
  readonly raftTerm: number;
  /** Bytes; 0 where it does not tell, before 3.6. */
  readonly quota: number;
}

export const status: Method<void, StatusResponse> = {
  path: '/etcdserverpb.Maintenance/Status',
  encode: () => new Uint8Array(),
  decode(bytes) {
    const response = { clusterId: '0', version: '', dbSize: 0, leader: '0', raftTerm: 0, quota: 0 };
    readMessage(bytes, (field, reader) => {
      if (field === 1) response.clusterId = readClusterId(reader);
      else if (field === 2) response.version = reader.string();
      else if (field === 3) response.dbSize = readInteger(reader);
      else if (field === 4) response.leader = String(reader.uint64());
      else if (field === 7) response.raftTerm = readInteger(reader);
      else if (field === 12) response.quota = readInteger(reader);
      else return false;
      return true;
    });
    return response;
  },
};

function readClusterId(reader: BinaryReader): string {
  let id = '0';
  readEmbedded(reader, (field, inner) => {
    if (field !== 1) return false;
    id = String(inner.uint64());
    return true;
  });
  return id;
}

/** Every alarm that is raised: 1 is NOSPACE, 2 CORRUPT. */
export const alarms: Method<void, readonly { readonly memberId: string; readonly alarm: number }[]> = {
  path: '/etcdserverpb.Maintenance/Alarm',
  encode: () => new Uint8Array(),
  decode(bytes) {
    const raised: { memberId: string; alarm: number }[] = [];
    readMessage(bytes, (field, reader) => {
      if (field !== 2) return false;
      const member = { memberId: '', alarm: 0 };
      readEmbedded(reader, (field, inner) => {
        if (field === 1) member.memberId = BigInt(inner.uint64()).toString(16);
        else if (field === 2) member.alarm = inner.int32();
        else return false;
        return true;
      });
      raised.push(member);
      return true;
    });
    return raised;
  },
};

export const authenticate: Method<{ readonly user: string; readonly password: string }, { readonly token: string }> = {
  path: '/etcdserverpb.Auth/Authenticate',
  encode: ({ user, password }) => new FieldWriter().text(1, user).text(2, password).finish(),
  decode(bytes) {
    let token = '';
    readMessage(bytes, (field, reader) => {
      if (field !== 2) return false;
      token = reader.string();
      return true;
    });
    return { token };
  },
};

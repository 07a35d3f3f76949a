import { FieldWriter, readMessage, type Method } from './fields.ts';

export interface StatusResponse {
  /** Of the etcd program, as in `3.4.23`. */
  readonly version: string;
}

export const status: Method<void, StatusResponse> = {
  path: '/etcdserverpb.Maintenance/Status',
  encode: () => new Uint8Array(),
  decode(bytes) {
    let version = '';
    readMessage(bytes, (field, reader) => {
      if (field !== 2) return false;
      version = reader.string();
      return true;
    });
    return { version };
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

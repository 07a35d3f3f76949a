import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { explicit, objectIdentifier, octetString, sequence, set, unsignedInteger, utf8String } from '@arc/pki/der';
import { ecdsaWithSha256, issueCertificate, type IssuedCertificate, spki } from './certificates.ts';
import { signBytes } from './sign-image.ts';

/** What a keyless signature is made of. Times are milliseconds since the epoch. */
export interface KeylessOptions {
  readonly subject?: string;
  readonly issuer?: string;
  /** When the log (or timestamp authority) says it was made. */
  readonly at?: number;
  /** When the certificate begins to be valid, for ten minutes. */
  readonly issuedAt?: number;
  /** How the entry of the log is proved; `none` leaves it out. */
  readonly log?: 'promise' | 'proof' | 'none';
  /** Adds a timestamp (RFC 3161). */
  readonly timestamp?: boolean;
  /** Leaves out the signed certificate timestamp. */
  readonly withoutCertificateTimestamp?: boolean;
  /** Extended key usage of the certificate, code signing unless told. */
  readonly usage?: string;
  /** Signs with this private key, and without a certificate. */
  readonly key?: KeyObject;
  /** Puts these bytes into the log instead of what was signed. */
  readonly logged?: Buffer;
}

/** A Sigstore of our own: certificate authority, logs and timestamp authority in memory. */
export interface SigstoreInstance {
  /** `trusted_root.json` */
  readonly trustedRoot: Readonly<Record<string, unknown>>;
  /** A bundle (0.3) around a payload in a DSSE envelope. */
  signStatement(payload: Buffer, options?: KeylessOptions): KeylessBundle;
  /** The annotations of a signature of cosign's older kind over a payload. */
  signPayload(payload: Buffer, options?: KeylessOptions): Record<string, string>;
}

/** A bundle as data, to be damaged. */
export interface KeylessBundle {
  readonly mediaType: string;
  readonly verificationMaterial: {
    /** Not there in bundles made with a key: those have a `publicKey`. */
    certificate: { rawBytes: string };
    tlogEntries: Record<string, unknown>[];
    timestampVerificationData: { rfc3161Timestamps: { signedTimestamp: string }[] };
  };
  readonly dsseEnvelope: { payload: string; payloadType: string; signatures: { sig: string }[] };
}

export const keylessSubject = 'https://github.com/team/app/.github/workflows/release.yml@refs/tags/v1';
export const keylessIssuer = 'https://token.actions.githubusercontent.com';

const day = 86_400_000;
const codeSigning = '1.3.6.1.5.5.7.3.3';
const timeStamping = '1.3.6.1.5.5.7.3.8';
const fulcioIssuer = '1.3.6.1.4.1.57264.1.8';
const sha256Algorithm = sequence(objectIdentifier('2.16.840.1.101.3.4.2.1'));

/** Creates one whose authorities are valid for years around `now`. */
export function createSigstore(now: number = Date.UTC(2026, 0, 1)): SigstoreInstance {
  const years = { notBefore: now - 700 * day, notAfter: now + 700 * day };
  const root = issueCertificate({ name: 'sigstore', ...years, authority: true });
  const intermediate = issueCertificate({ name: 'sigstore-intermediate', by: root, ...years, authority: true });
  const timestampRoot = issueCertificate({ name: 'timestamps', ...years, authority: true });
  const timestamper = issueCertificate({ name: 'timestamper', by: timestampRoot, ...years, usages: [timeStamping] });
  const [rekor, certificateLog] = [logOf(), logOf()];

  const issue = (options: KeylessOptions): IssuedCertificate => {
    const notBefore = options.issuedAt ?? now;
    return issueCertificate({
      name: '',
      by: intermediate,
      notBefore,
      notAfter: notBefore + 600_000,
      usages: [options.usage ?? codeSigning],
      uri: options.subject ?? keylessSubject,
      extensions: [[fulcioIssuer, utf8String(options.issuer ?? keylessIssuer)]],
      timestamps:
        options.withoutCertificateTimestamp === true
          ? undefined
          : (tbs, hash) => certificateTimestamps(certificateLog, tbs, hash, notBefore),
    });
  };
  const entryOf = (body: object, options: KeylessOptions): Record<string, unknown>[] =>
    options.log === 'none' ? [] : [logEntry(rekor, body, options.at ?? now + 1000, options.log ?? 'promise')];
  const timestampsOf = (signature: Buffer, options: KeylessOptions) =>
    options.timestamp === true
      ? [{ signedTimestamp: timestampResponse(timestamper, signature, options.at ?? now + 1000).toString('base64') }]
      : [];

  return {
    trustedRoot: {
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [trustedLog(rekor, years.notBefore)],
      ctlogs: [trustedLog(certificateLog, years.notBefore)],
      certificateAuthorities: [trustedAuthority([intermediate, root], years.notBefore)],
      timestampAuthorities: [trustedAuthority([timestamper, timestampRoot], years.notBefore)],
    },
    signStatement: (payload, options = {}) => {
      const payloadType = 'application/vnd.in-toto+json';
      const certificate = issue(options);
      const encoded = Buffer.concat([Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `), payload]);
      const signature = signBytes(encoded, options.key ?? certificate.key);
      const envelope = { payload: payload.toString('base64'), payloadType, signatures: [{ sig: signature.toString('base64') }] };
      const body = {
        apiVersion: '0.0.1',
        kind: 'dsse',
        spec: {
          envelopeHash: { algorithm: 'sha256', value: sha256(Buffer.from(JSON.stringify(envelope))).toString('hex') },
          payloadHash: { algorithm: 'sha256', value: sha256(options.logged ?? payload).toString('hex') },
          signatures: [{ signature: signature.toString('base64'), verifier: verifierOf(certificate, options) }],
        },
      };
      return {
        mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
        verificationMaterial: {
          ...materialOf(certificate, options),
          tlogEntries: entryOf(body, options),
          timestampVerificationData: { rfc3161Timestamps: timestampsOf(signature, options) },
        },
        dsseEnvelope: envelope,
      };
    },
    signPayload: (payload, options = {}) => {
      const certificate = issue(options);
      const signature = signBytes(payload, options.key ?? certificate.key);
      const body = {
        apiVersion: '0.0.1',
        kind: 'hashedrekord',
        spec: {
          data: { hash: { algorithm: 'sha256', value: sha256(options.logged ?? payload).toString('hex') } },
          signature: {
            content: signature.toString('base64'),
            publicKey: { content: verifierOf(certificate, options) },
          },
        },
      };
      const [entry] = entryOf(body, { ...options, log: options.log === 'none' ? 'none' : 'promise' });
      const [timestamp] = timestampsOf(signature, options);
      return {
        'dev.cosignproject.cosign/signature': signature.toString('base64'),
        ...(options.key === undefined
          ? {
              'dev.sigstore.cosign/certificate': pem(certificate.der),
              'dev.sigstore.cosign/chain': `${pem(intermediate.der)}${pem(root.der)}`,
            }
          : {}),
        ...(entry === undefined ? {} : { 'dev.sigstore.cosign/bundle': JSON.stringify(rekorBundle(entry)) }),
        ...(timestamp === undefined
          ? {}
          : { 'dev.sigstore.cosign/rfc3161timestamp': JSON.stringify({ SignedRFC3161Timestamp: timestamp.signedTimestamp }) }),
      };
    },
  };
}

/** Who may check it, as logs keep it: a certificate or a public key in PEM. */
function verifierOf(certificate: IssuedCertificate, { key }: KeylessOptions): string {
  const text = key === undefined ? pem(certificate.der) : createPublicKey(key).export({ type: 'spki', format: 'pem' });
  return Buffer.from(text).toString('base64');
}

function materialOf(certificate: IssuedCertificate, { key }: KeylessOptions): Pick<KeylessBundle['verificationMaterial'], 'certificate'> {
  if (key === undefined) return { certificate: { rawBytes: certificate.der.toString('base64') } };
  return { publicKey: { hint: 'arc-testkit' } } as unknown as Pick<KeylessBundle['verificationMaterial'], 'certificate'>;
}

interface Log {
  readonly key: KeyObject;
  readonly publicDer: Buffer;
  readonly id: Buffer;
}

function logOf(): Log {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicDer = spki(publicKey);
  return { key: createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' })), publicDer, id: sha256(publicDer) };
}

/** An entry of a log that has no other: its root is the hash of the leaf. */
function logEntry(log: Log, body: object, at: number, how: 'promise' | 'proof'): Record<string, unknown> {
  const canonicalizedBody = Buffer.from(canonical(body));
  const integratedTime = Math.floor(at / 1000);
  const promised = canonical({ body: canonicalizedBody.toString('base64'), integratedTime, logID: log.id.toString('hex'), logIndex: 0 });
  const leaf = sha256(Buffer.concat([Buffer.from([0]), canonicalizedBody])).toString('base64');
  const note = `rekor.example.org - 1\n1\n${leaf}\n`;
  const noteSignature = Buffer.concat([log.id.subarray(0, 4), sign('sha256', Buffer.from(note), log.key)]).toString('base64');
  const { apiVersion, kind } = body as { apiVersion: string; kind: string };
  return {
    logIndex: '0',
    logId: { keyId: log.id.toString('base64') },
    kindVersion: { kind, version: apiVersion },
    integratedTime: String(integratedTime),
    ...(how === 'promise'
      ? { inclusionPromise: { signedEntryTimestamp: sign('sha256', Buffer.from(promised), log.key).toString('base64') } }
      : {}),
    inclusionProof: {
      logIndex: '0',
      rootHash: leaf,
      treeSize: '1',
      hashes: [],
      checkpoint: { envelope: `${note}\n\u2014 rekor.example.org ${noteSignature}\n` },
    },
    canonicalizedBody: canonicalizedBody.toString('base64'),
  };
}

/** The same entry as cosign keeps it in an annotation. */
function rekorBundle(entry: Record<string, unknown>): object {
  const { keyId } = entry['logId'] as { keyId: string };
  return {
    SignedEntryTimestamp: (entry['inclusionPromise'] as { signedEntryTimestamp: string }).signedEntryTimestamp,
    Payload: {
      body: entry['canonicalizedBody'],
      integratedTime: Number(entry['integratedTime']),
      logIndex: 0,
      logID: Buffer.from(keyId, 'base64').toString('hex'),
    },
  };
}

/** One signed certificate timestamp as a TLS list (RFC 6962, section 3.2 and 3.3), in its OCTET STRING. */
function certificateTimestamps(log: Log, tbs: Buffer, issuerKeyHash: Buffer, at: number): Buffer {
  const timestamp = Buffer.alloc(8);
  timestamp.writeBigUInt64BE(BigInt(at));
  const length = Buffer.from([tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff]);
  const signed = Buffer.concat([Buffer.from([0, 0]), timestamp, Buffer.from([0, 1]), issuerKeyHash, length, tbs, Buffer.from([0, 0])]);
  const signature = sign('sha256', signed, log.key);
  const one = Buffer.concat([Buffer.from([0]), log.id, timestamp, Buffer.from([0, 0, 4, 3]), uint16(signature.length), signature]);
  const list = Buffer.concat([uint16(one.length), one]);
  return Buffer.concat([uint16(list.length), list]);
}

/** A TimeStampResp (RFC 3161) about a signature. */
function timestampResponse(signer: IssuedCertificate, signature: Buffer, at: number): Buffer {
  const digits = `${new Date(at)
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:T]/g, '')}Z`;
  const genTime = Buffer.concat([Buffer.from([0x18, digits.length]), Buffer.from(digits)]);
  const one = unsignedInteger(Buffer.from([1]));
  const imprint = sequence(sha256Algorithm, octetString(sha256(signature)));
  const info = sequence(one, objectIdentifier('1.2.3.4'), imprint, unsignedInteger(Buffer.from([7])), genTime);
  const infoType = objectIdentifier('1.2.840.113549.1.9.16.1.4');
  const attributes = Buffer.concat([
    sequence(objectIdentifier('1.2.840.113549.1.9.3'), set(infoType)),
    sequence(objectIdentifier('1.2.840.113549.1.9.4'), set(octetString(sha256(info)))),
  ]);
  const signerInfo = sequence(
    one,
    sequence(signer.issuer, signer.serial),
    sha256Algorithm,
    explicit(0, attributes),
    ecdsaWithSha256,
    octetString(sign('sha256', set(attributes), signer.key)),
  );
  const signedData = sequence(
    unsignedInteger(Buffer.from([3])),
    set(sha256Algorithm),
    sequence(infoType, explicit(0, octetString(info))),
    set(signerInfo),
  );
  const token = sequence(objectIdentifier('1.2.840.113549.1.7.2'), explicit(0, signedData));
  return sequence(sequence(unsignedInteger(Buffer.from([0]))), token);
}

function trustedLog(log: Log, start: number): object {
  return {
    baseUrl: 'https://rekor.example.org',
    hashAlgorithm: 'SHA2_256',
    publicKey: {
      rawBytes: log.publicDer.toString('base64'),
      keyDetails: 'PKIX_ECDSA_P256_SHA_256',
      validFor: { start: new Date(start).toISOString() },
    },
    logId: { keyId: log.id.toString('base64') },
  };
}

function trustedAuthority(chain: readonly IssuedCertificate[], start: number): object {
  return {
    subject: { organization: 'sigstore', commonName: 'sigstore' },
    uri: 'https://fulcio.example.org',
    certChain: { certificates: chain.map(({ der }) => ({ rawBytes: der.toString('base64') })) },
    validFor: { start: new Date(start).toISOString() },
  };
}

/** JSON with sorted keys, for values without numbers other than whole ones (RFC 8785). */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, entry]) => `${JSON.stringify(key)}:${canonical(entry)}`).join(',')}}`;
}

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE-----\n${(der.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

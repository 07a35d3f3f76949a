export { readBucketSecret } from '../credentials/s3-secret.ts';
export type { BucketSecret } from '../credentials/s3-secret.ts';
export { Bucket } from './bucket.ts';
export type { BucketOptions, ObjectHead, WriteCondition } from './bucket.ts';
export { parseBucketURL } from './bucket-location.ts';
export type { BucketLocation } from './bucket-location.ts';
export { BucketSource } from './bucket-source.ts';
export { BucketStore } from './bucket-store.ts';
export type { S3Credentials } from './signature-v4.ts';

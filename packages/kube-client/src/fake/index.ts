export { createFakeClient } from './fake-client.ts';
export type { FakeClient, FakeClientOptions, FakeRequest } from './fake-client.ts';

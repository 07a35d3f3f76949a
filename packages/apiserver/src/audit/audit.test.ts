import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import * as pki from '@arc/pki';
import { startTestServer, type TestServer } from '../testing/test-server.ts';
import { openAuditLogFile } from './audit-log-file.ts';
import { parseAuditPolicy } from './policy.ts';

const widgets = '/apis/demo.example.com/v1/namespaces/ns/widgets';
const policyOf = (rules: unknown, more: object = {}): unknown => ({ apiVersion: 'audit.k8s.io/v1', kind: 'Policy', rules, ...more });

type Event = Readonly<Record<string, unknown>> & { readonly stage: string; readonly auditID: string };

interface AuditedServer extends AsyncDisposable {
  readonly server: TestServer;
  /** The events of one request, once it is over. */
  eventsOf(auditId: string): Promise<readonly Event[]>;
}

async function auditedServer(policy: unknown): Promise<AuditedServer> {
  const lines: string[] = [];
  const server = await startTestServer(pki, { audit: { policy: parseAuditPolicy(policy), write: (line) => void lines.push(line) } });
  return {
    server,
    eventsOf: async (auditId) => {
      for (;;) {
        const events = lines.map((line) => JSON.parse(line) as Event).filter(({ auditID }) => auditID === auditId);
        if (events.some(({ stage }) => stage === 'ResponseComplete')) return events;
        await new Promise(setImmediate);
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test('6.5 an audit event says who did what, when, from where and with which outcome', async () => {
  await using audited = await auditedServer(policyOf([{ level: 'RequestResponse' }]));
  const { server, eventsOf } = audited;
  const body = '{"metadata":{"name":"w1"},\n "spec":{"size":3}}';
  await server.admin.post(widgets, body, { 'audit-id': 'create-1', 'user-agent': 'tester', 'x-forwarded-for': '10.1.1.1, 10.1.1.2' });
  const [received, complete] = await eventsOf('create-1');
  assert.equal(received?.stage, 'RequestReceived');
  assert.equal(received['requestObject'], undefined);
  const { requestReceivedTimestamp, stageTimestamp, responseObject, requestObject, ...rest } = complete ?? assert.fail();
  assert.match(String(requestReceivedTimestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.match(String(stageTimestamp), /\.\d{6}Z$/);
  assert.equal((requestObject as { metadata: { name: string } }).metadata.name, 'w1');
  assert.ok(responseObject);
  assert.deepEqual(rest, {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'RequestResponse',
    auditID: 'create-1',
    stage: 'ResponseComplete',
    requestURI: widgets,
    verb: 'create',
    user: { username: 'admin', groups: ['system:masters', 'system:authenticated'] },
    sourceIPs: ['10.1.1.1', '10.1.1.2', '127.0.0.1'],
    userAgent: 'tester',
    objectRef: { resource: 'widgets', namespace: 'ns', apiGroup: 'demo.example.com', apiVersion: 'v1' },
    responseStatus: { metadata: {}, code: 201 },
    annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
  });
  await server.admin.get(widgets, { 'audit-id': 'list-1' });
  const last = (await eventsOf('list-1')).at(-1) ?? assert.fail();
  const listed = last['responseObject'] as { kind: string; items: unknown[] };
  assert.equal(listed.kind, 'WidgetList');
  assert.equal(listed.items.length, 1);
});

test('6.5 failures, refusals and impersonation are told apart', async () => {
  await using audited = await auditedServer(policyOf([{ level: 'Metadata' }], { omitStages: ['RequestReceived'] }));
  const { server, eventsOf } = audited;
  await server.as('somebody').get(`${widgets}/w1`, { 'audit-id': 'refused' });
  const [refused = assert.fail()] = await eventsOf('refused');
  assert.equal((refused['annotations'] as Record<string, string>)['authorization.k8s.io/decision'], 'forbid');
  const { code, reason, status } = refused['responseStatus'] as Record<string, unknown>;
  assert.deepEqual([code, reason, status], [403, 'Forbidden', 'Failure']);
  await server.admin.get(`${widgets}/w1`, { 'audit-id': 'other', 'impersonate-user': 'ann', 'impersonate-group': 'system:masters' });
  const [other = assert.fail()] = await eventsOf('other');
  assert.equal((other['user'] as { username: string }).username, 'admin');
  assert.equal((other['impersonatedUser'] as { username: string }).username, 'ann');
  assert.equal((other['responseStatus'] as { reason: string }).reason, 'NotFound');
  await server.admin.get('/apis/%zz/v1/x', { 'audit-id': 'bad-path' });
  const [unparsed = assert.fail()] = await eventsOf('bad-path');
  assert.equal((unparsed['responseStatus'] as { code: number }).code, 400);
});

test('6.5 a watch is recorded when it starts and when it ends', async () => {
  await using audited = await auditedServer(policyOf([{ level: 'RequestResponse' }]));
  await audited.server.admin.get(`${widgets}?watch=1&timeoutSeconds=1&resourceVersion=0`, { 'audit-id': 'watch-1' });
  const events = await audited.eventsOf('watch-1');
  assert.deepEqual(
    events.map(({ stage }) => stage),
    ['RequestReceived', 'ResponseStarted', 'ResponseComplete'],
  );
  assert.equal(events.at(-1)?.['responseObject'], undefined);
});

test('6.5 the first matching rule decides, and bodies of credentials need a rule that names them', () => {
  const policy = parseAuditPolicy(
    policyOf([
      { level: 'None', users: ['system:arc'], verbs: ['get', 'watch'] },
      { level: 'None', nonResourceURLs: ['/healthz*', '/version'] },
      { level: 'Request', resources: [{ group: '', resources: ['pods', 'pods/log'], resourceNames: ['p1'] }], namespaces: ['a'] },
      { level: 'RequestResponse', userGroups: ['auditors'], resources: [{ group: '', resources: ['secrets'] }] },
      { level: 'RequestResponse', omitStages: ['RequestReceived'] },
    ]),
  );
  const info = {
    resourceRequest: true,
    path: '/x',
    verb: 'get',
    prefix: 'api',
    group: '',
    version: 'v1',
    namespace: 'a',
    resource: 'pods',
    subresource: '',
    name: 'p1',
    parts: [],
  };
  const user = { name: 'ann', groups: ['auditors'] };
  const level = (change: Partial<typeof info>, who = user): string => policy.decide({ ...info, ...change }, who).level;
  assert.equal(level({}), 'Request');
  assert.equal(level({ subresource: 'log' }), 'Request');
  assert.equal(level({ namespace: 'b' }), 'RequestResponse');
  assert.equal(level({ name: 'p2' }), 'RequestResponse');
  assert.equal(level({}, { name: 'system:arc', groups: [] }), 'None');
  assert.equal(level({ verb: 'list' }, { name: 'system:arc', groups: [] }), 'Request');
  assert.equal(level({ resourceRequest: false, path: '/healthz/ping' }), 'None');
  assert.equal(level({ resourceRequest: false, path: '/version/x' }), 'RequestResponse');
  assert.equal(level({ resource: 'secrets' }), 'RequestResponse');
  assert.equal(level({ resource: 'secrets' }, { name: 'bob', groups: [] }), 'Metadata');
  assert.ok(policy.decide({ ...info, resource: 'other' }, user).omitStages.has('RequestReceived'));
});

test('6.5 a policy that cannot be meant is refused', () => {
  const wrong: readonly unknown[] = [
    {},
    policyOf([]),
    policyOf([{ level: 'All' }]),
    policyOf([{ level: 'None', verbs: 'get' }]),
    policyOf([{ level: 'None', omitStages: ['Later'] }]),
    policyOf([{ level: 'None', resources: [{ group: 1 }] }]),
  ];
  for (const value of wrong) assert.throws(() => parseAuditPolicy(value), { code: 'InvalidAuditPolicy' }, JSON.stringify(value));
});

test('6.5 the log file is private and put aside when it has grown', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'arc-audit-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'audit.log');
  using log = openAuditLogFile(file, { maxBytes: 20, maxBackups: 2 });
  for (let index = 0; index < 9; index++) log.write(`line ${index}..\n`);
  assert.deepEqual(readdirSync(folder).toSorted(), ['audit.log', 'audit.log.1', 'audit.log.2']);
  assert.equal(readFileSync(file, 'utf8'), 'line 8..\n');
  assert.equal(readFileSync(`${file}.1`, 'utf8'), 'line 6..\nline 7..\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.throws(() => openAuditLogFile(join(folder, 'no', 'where')), { code: 'AuditLogUnwritable' });
});

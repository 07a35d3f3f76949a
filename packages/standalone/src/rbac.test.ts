import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import { coreKinds } from '@arc/api/core';
import type { ClusterRole } from '@arc/api/rbac';
import { clusterRoleBindings, clusterRoles, defaultClusterRoles, rbacKinds } from '@arc/api/rbac';
import { createApiServer } from '@arc/apiserver';
import { startControllers } from '@arc/controller';
import type { KubeClient } from '@arc/kube-client';
import { createKubeClient } from '@arc/kube-client';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gatheredRules } from './cluster-role-aggregation.ts';
import { ensureDefaultRbac } from './default-rbac.ts';
import { standaloneControllers } from './standalone-controllers.ts';

const kinds: readonly KindDefinition[] = [...coreKinds, ...rbacKinds];
const types: readonly ResourceType[] = kinds
  .filter(({ verbs }) => verbs === undefined || (['list', 'watch', 'delete'] as const).every((verb) => verbs.includes(verb)))
  .map(({ group, version, kind, names, scope }) => ({ group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' }));

function role(name: string, fields: Partial<ClusterRole>, labels: Record<string, string> = {}): ClusterRole {
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, labels }, ...fields };
}

test('an aggregated role has the rules of those its selectors match, in order of name, each once', () => {
  const get = { verbs: ['get'], apiGroups: [''], resources: ['pods'] };
  const list = { verbs: ['list'], apiGroups: [''], resources: ['pods'] };
  const whole = role('whole', {
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'a' } }, { matchLabels: { part: 'b' } }] },
  });
  const all = [
    role('z', { rules: [get] }, { part: 'a' }),
    role('y', { rules: [list, get] }, { part: 'b' }),
    role('x', { rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }),
    role('w', {}, { part: 'a' }),
    { ...whole, metadata: { name: 'whole', labels: { part: 'a' } }, rules: [{ verbs: ['old'], apiGroups: [''], resources: ['pods'] }] },
  ];
  assert.deepEqual(gatheredRules(whole, all), [list, get]);
  assert.deepEqual(gatheredRules(whole, []), []);
});

test('defaults are created, completed at the next start and left alone when told so; the standalone identity can aggregate', async () => {
  await using stack = new AsyncDisposableStack();
  const authority = createAuthority({ commonName: 'test' });
  const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const store = stack.use(createMemoryStore());
  const tls = { cert: server.certPem, key: server.keyPem, clientCa: authority.certPem };
  const api = stack.use(await createApiServer({ kinds, store, tls }));
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await api.ready;
  const as = (user: string, groups: string[]): KubeClient =>
    stack.use(
      createKubeClient(
        {
          server: `https://127.0.0.1:${port}`,
          caPem: authority.certPem,
          clientCertificate: issueClientCertificate(authority, { user, groups }),
        },
        { userAgent: 'rbac-test' },
      ),
    );
  const admin = as('admin', ['system:masters']);
  await ensureDefaultRbac(admin);
  const before = await admin.list(clusterRoles);
  assert.equal(before.items.length, defaultClusterRoles().length);

  const basic = await admin.get<ClusterRole>(clusterRoles, { name: 'system:basic-user' });
  const own = { verbs: ['get'], apiGroups: [''], resources: ['configmaps'] };
  await admin.update(clusterRoles, { ...basic, rules: [own] });
  await admin.delete(clusterRoleBindings, { name: 'system:basic-user' });
  const off = { metadata: { annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } }, rules: [] };
  await admin.patch(clusterRoles, { name: 'system:public-info-viewer' }, off);
  await ensureDefaultRbac(admin);
  assert.deepEqual((await admin.get<ClusterRole>(clusterRoles, { name: 'system:basic-user' })).rules, [own, ...(basic.rules ?? [])]);
  assert.deepEqual((await admin.get<ClusterRole>(clusterRoles, { name: 'system:public-info-viewer' })).rules, []);
  await admin.get(clusterRoleBindings, { name: 'system:basic-user' });
  const revision = (await admin.list(clusterRoles)).metadata.resourceVersion;
  await ensureDefaultRbac(admin);
  assert.equal((await admin.list(clusterRoles)).metadata.resourceVersion, revision, 'a further start writes nothing');

  const running = stack.use(startControllers(standaloneControllers({ client: as('system:arc-standalone', []), types })));
  await running.ready;
  const extra = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] };
  await admin.create(clusterRoles, role('more', { rules: [extra] }, { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }));
  // `view` is part of `edit`, which is part of `admin`.
  const watching = admin.watch<ClusterRole>(clusterRoles, { resourceVersion: '0', fieldSelector: 'metadata.name=admin' });
  for await (const { object } of watching) {
    if (JSON.stringify(object.rules ?? []).includes('example.com')) break;
  }
  const view = await admin.get<ClusterRole>(clusterRoles, { name: 'view' });
  assert.ok(!JSON.stringify(view.rules).includes('secrets'), 'view shows no secrets');
});

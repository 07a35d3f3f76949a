import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { startStandaloneServer, type StandaloneServer } from '@arc/standalone';
import { createMemoryStore } from '@arc/storage';
import { type CommandResult, eventually, findKubectls, kubectlRunner, type RunOptions } from '@arc/testkit';
import { fischer, flunder } from '../../examples/flunders/kinds.ts';

const found = await findKubectls();
/** The oldest and the newest; all of them take about ten seconds each. */
const kubectls = process.env['ARC_TEST_EVERY_KUBECTL'] === undefined ? found.filter((_, at) => at === 0 || at === found.length - 1) : found;
const gv = 'wardle.example.com/v1alpha1';

function manifest(name: string, spec: object = {}, metadata: object = {}): { input: string } {
  return { input: JSON.stringify({ apiVersion: gv, kind: 'Flunder', metadata: { name, namespace: 'default', ...metadata }, spec }) };
}

if (kubectls.length === 0) test('kubectl commands', { skip: 'no kubectl of 1.27 or newer on this machine' }, () => {});

for (const kubectl of kubectls) {
  describe(`kubectl ${kubectl.minor} on kinds it has never heard of`, () => {
    let folder: string;
    const store = createMemoryStore();
    let server: StandaloneServer;
    let run: (args: readonly string[], options?: RunOptions) => Promise<CommandResult>;
    const ok = async (command: string, options?: RunOptions): Promise<string> => {
      const result = await run(command.split(' '), options);
      assert.equal(result.code, 0, `kubectl ${command}\n${result.stdout}${result.stderr}`);
      return result.stdout;
    };
    const refused = async (command: string, options?: RunOptions): Promise<string> => {
      const result = await run(command.split(' '), options);
      assert.equal(result.code, 1, `kubectl ${command}\n${result.stdout}${result.stderr}`);
      return result.stderr;
    };
    const field = (name: string, path: string): Promise<string> => ok(`get fl ${name} -o jsonpath={${path}}`);

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'kubectl-'));
      server = await startStandaloneServer({ kinds: [flunder, fischer], store, directory: folder });
      run = kubectlRunner(kubectl, server.kubeconfig);
    });
    after(async () => {
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    });

    test('8 kubectl api-resources, api-versions, explain, version, get --raw', async () => {
      assert.match(
        await ok('api-resources --api-group=wardle.example.com -o wide'),
        /flunders +fl +wardle\S+ +true +Flunder .*create,delete/,
      );
      assert.match(await ok('api-versions'), /^wardle\.example\.com\/v1alpha1$/m);
      assert.match(await ok('explain fl.spec.reference'), /FIELD: reference <string>/);
      assert.match(await ok('version'), /Server Version: .*v1\.\d+/);
      assert.match(await ok('get --raw /apis/wardle.example.com/v1alpha1'), /"name":"flunders"/);
      assert.equal(await ok('get --raw /readyz'), 'ok');
    });

    test('8 kubectl create and apply with --dry-run=server say what would be, and store nothing', async () => {
      const options = manifest('dry', { reference: 'x' });
      assert.match(await ok('create --dry-run=server -f - -o yaml', options), /referenceType: Flunder/);
      assert.match(await ok('apply --dry-run=server -f -', options), /created \(server dry run\)/);
      assert.match(await ok('apply --server-side --dry-run=server -f -', options), /serverside-applied \(server dry run\)/);
      assert.match(await refused('get fl dry'), /NotFound/);
    });

    test('8 kubectl apply, diff, apply view-last-applied and set-last-applied', async () => {
      await ok('apply -f -', manifest('applied', { reference: 'a' }));
      assert.match(await ok('apply -f -', manifest('applied', { reference: 'a' })), /unchanged/);
      const changed = manifest('applied', { reference: 'b' });
      assert.match((await run(['diff', '-f', '-'], changed)).stdout, /-  reference: a\n\+  reference: b/);
      assert.match((await run(['diff', '--server-side', '-f', '-'], changed)).stdout, /\+  reference: b/);
      assert.match(await ok('apply -f -', changed), /configured/);
      assert.match(await ok('apply view-last-applied fl applied'), /reference: b/);
      await ok('apply set-last-applied -f -', manifest('applied', { reference: 'c' }));
      assert.match(await ok('apply view-last-applied fl applied'), /reference: c/);
      assert.equal(await field('applied', '.spec.reference'), 'b');
    });

    test('8 kubectl label, annotate, patch and edit', async () => {
      await ok('create -f -', manifest('changed', { reference: 'a' }));
      assert.match(await ok('label fl changed team=a'), /labeled/);
      assert.match(await refused('label fl changed team=b'), /already has a value/);
      await ok('label fl changed team=b --overwrite');
      assert.match(await ok('annotate fl changed note=x'), /annotate/);
      await ok('patch fl changed --type=merge -p {"spec":{"reference":"m"}}');
      await ok('patch fl changed --type=json -p [{"op":"replace","path":"/spec/reference","value":"j"}]');
      assert.match(
        await refused('patch fl changed -p {"spec":{}}'),
        /UnsupportedMediaType|unsupported media type|body of the request was in an unknown format/,
      );
      await ok('edit fl changed', { env: { EDITOR: "sed -i 's/reference: j/reference: e/'" } });
      assert.equal(await field('changed', '.spec.reference'), 'e');
      assert.equal(await ok('get fl -l team=b -o name'), 'flunder.wardle.example.com/changed\n');
    });

    test('8 kubectl get in its forms, by selectors and in pages; auth can-i and whoami', async () => {
      for (const name of ['got-a', 'got-b', 'got-c'])
        await ok('create -f -', manifest(name, { reference: 'x' }, { labels: { got: 'yes' } }));
      assert.match(await ok('get fl got-a -o yaml'), /^apiVersion: wardle\.example\.com\/v1alpha1\nkind: Flunder\n/);
      assert.match(await ok('get fl got-a'), /^NAME +REFERENCE +AGE\ngot-a +x +\d+s\n$/);
      const pages = await ok('get flunders -A -l got=yes --chunk-size=1 --no-headers');
      assert.deepEqual(pages.match(/got-\w(?= +x)/g), ['got-a', 'got-b', 'got-c']);
      assert.match(pages, /^default +got-a/);
      assert.match(
        await ok('get fl -A -l got=yes --field-selector metadata.name=got-b -o name'),
        /^flunder\.wardle\.example\.com\/got-b\n$/,
      );
      assert.match(await ok('get all -o name'), /flunder\.wardle\.example\.com\/got-c/);
      assert.equal(await ok('auth can-i create flunders'), 'yes\n');
      // Before 1.28 it asks for a version of the review that a server of 1.33 has no more.
      if (kubectl.minor !== '1.27') assert.match(await ok('auth whoami'), /system:masters/);
    });

    test('8 kubectl apply --prune, edit --subresource, and delete with its periods', async () => {
      const labelled = (name: string): { input: string } => manifest(name, {}, { labels: { prune: 'yes' } });
      await ok('apply -f -', labelled('pruned'));
      const allowed = '--prune-allowlist=wardle.example.com/v1alpha1/Flunder';
      assert.match(await ok(`apply -f - --prune -l prune=yes ${allowed}`, labelled('kept')), /pruned pruned/);
      await ok('edit fl kept --subresource=status', { env: { EDITOR: "sed -i '$ a status: {replicas: 4}'" } });
      assert.equal(await field('kept', '.status.replicas'), '4');
      for (const how of ['--grace-period=5', '--now', '--force']) {
        await ok('create -f -', manifest('short'));
        assert.match(await ok(`delete fl short ${how}`), /deleted/);
      }
    });

    test('8 kubectl replace, with and without --force', async () => {
      await ok('create -f -', manifest('replaced', { reference: 'a' }));
      const uid = await field('replaced', '.metadata.uid');
      assert.match(await ok('replace -f -', manifest('replaced', { reference: 'b' })), /replaced/);
      assert.equal(await field('replaced', '.metadata.uid'), uid);
      await ok('replace --force -f -', manifest('replaced', { reference: 'c' }));
      assert.notEqual(await field('replaced', '.metadata.uid'), uid);
      assert.match(await refused('replace -f -', manifest('never there')), /is invalid|not found/);
    });

    test('8 kubectl scale, of one, of several, and only from what it is expected to be', async () => {
      await ok('create -f -', manifest('scaled', { reference: 'a' }));
      assert.match(await ok('scale fl scaled --replicas=3'), /flunder\.wardle\.example\.com\/scaled scaled/);
      assert.equal(await field('scaled', '.spec.replicas'), '3');
      assert.equal(await field('scaled', '.spec.reference'), 'a');
      assert.match(await refused('scale fl scaled --replicas=5 --current-replicas=4'), /Expected replicas to be 4, was 3/);
      await ok('scale fl scaled --replicas=5 --current-replicas=3');
      await ok('scale -f - --replicas=0', manifest('scaled'));
      assert.equal(await field('scaled', '.spec.replicas'), '0');
      assert.match(await ok('get fl scaled --subresource=scale'), /^NAME +DESIRED +AVAILABLE +AGE\nscaled +0 +0 +/);
      await ok('patch fl scaled --subresource=scale --type=merge -p {"spec":{"replicas":2}}');
      assert.equal(await ok('get fl scaled --subresource=scale -o jsonpath={.kind}{.spec.replicas}'), 'Scale2');
      assert.match(await ok('get fl scaled -o yaml --show-managed-fields'), /subresource: scale/);
      await ok('create -f -', { input: JSON.stringify({ apiVersion: gv, kind: 'Fischer', metadata: { name: 'rigid' } }) });
      assert.match(await refused('scale fischer rigid --replicas=1'), /could not find the requested resource/);
    });

    test('8 kubectl delete with every --cascade, --all, -l and by wait', async () => {
      for (const [cascade, left] of [
        ['background', false],
        ['foreground', false],
        ['orphan', true],
      ] as const) {
        const owner = `owner-${cascade}`;
        await ok('create -f -', manifest(owner));
        const ownerReferences = [
          { apiVersion: gv, kind: 'Flunder', name: owner, uid: await field(owner, '.metadata.uid'), blockOwnerDeletion: true },
        ];
        await ok('create -f -', manifest(`${owner}-child`, {}, { ownerReferences }));
        assert.match(await ok(`delete fl ${owner} --cascade=${cascade} --timeout=30s`), /deleted/);
        if (left) {
          await eventually(async () => (await field(`${owner}-child`, '.metadata.ownerReferences')) === '', {
            what: 'the child to be an orphan',
          });
        } else {
          await ok(`wait fl ${owner}-child --for=delete --timeout=30s`);
        }
      }
      await ok('create -f -', manifest('labelled', {}, { labels: { gone: 'soon' } }));
      assert.match(await ok('delete fl -l gone=soon'), /labelled" deleted/);
      await ok('delete fl --all');
      assert.equal(await ok('get fl -o name'), '');
    });

    test('8 kubectl wait for a field, and describe', async () => {
      await ok('create -f -', manifest('awaited'));
      const waiting = ok('wait fl awaited --for=jsonpath={.spec.reference}=there --timeout=30s');
      await ok('patch fl awaited --type=merge -p {"spec":{"reference":"there"}}');
      assert.match(await waiting, /condition met/);
      assert.match(await ok('describe fl awaited'), /Name: +awaited[\s\S]*Reference: +there[\s\S]*Events: +<none>/);
    });
  });
}

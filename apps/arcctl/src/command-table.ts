import { sharedOptions } from '@arc/composition/program';
import { artifactCommands, registryOptions } from './artifact/commands.ts';
import type { CommandDefinition, OptionDefinition } from './command.ts';

/** Understood before and after every command. */
export const globalOptions: readonly OptionDefinition[] = [
  {
    flags: '--kubeconfig <file>',
    description: 'kubeconfig to use; default: $KUBECONFIG, ~/.kube/config, then the one arcctl up wrote',
    connection: true,
  },
  { flags: '--context <name>', description: 'context of the kubeconfig to use', connection: true },
  { flags: '-n, --namespace <name>', description: 'namespace to work in; default: that of the context', connection: true },
  { flags: '-v, --verbose', description: 'show causes and stack traces of errors' },
];

const output = (...choices: readonly string[]): OptionDefinition => ({
  flags: '-o, --output <format>',
  description: `print as ${choices.join(', ')}`,
  choices,
});

const timeout: OptionDefinition = { flags: '--timeout <duration>', description: 'give up waiting after this long, for example 90s or 15m' };

/** What lists take. */
const listOptions: readonly OptionDefinition[] = [
  output('json', 'yaml', 'wide', 'name'),
  { flags: '-A, --all-namespaces', description: 'objects of all namespaces' },
  { flags: '-l, --selector <labels>', description: 'only objects with these labels, for example team=a,tier!=test' },
  { flags: '--field-selector <fields>', description: 'only objects with these field values, for example status.phase=Failed' },
  { flags: '--no-headers', description: 'leave out the line of column names' },
  { flags: '-w, --watch', description: 'keep printing changes' },
];

const wait: readonly OptionDefinition[] = [
  { flags: '--wait', description: 'block until the Order has finished' },
  { flags: '--watch', description: 'the same, showing progress' },
  timeout,
];

const storage: OptionDefinition = {
  flags: '--storage <url>',
  description: 'sqlite:FILE, postgres://USER@HOST/DATABASE (its password may be in $PGPASSWORD) or etcd://HOST:PORT',
  required: true,
};

const replace: OptionDefinition = {
  flags: '--replace',
  description: 'remove what the storage holds, also an unfinished copy of something else, and fill it anew',
};

const group: OptionDefinition = { flags: '--group <name...>', description: 'group the user is a member of; can be repeated' };

/** Groups of commands, for help. */
export const commandGroups: Readonly<Record<string, string>> = {
  order: 'Submit Orders, follow and steer them',
  endpoint: 'Set up, test and list Endpoints',
  type: 'Look at artifact types',
  artifact: 'Look at artifacts in registries, copy them, carry them on a disk',
  user: 'Give people and programs access to an embedded ARC, and take it away',
  storage: 'Set up and look after where ARC keeps its objects',
};

export const commands: readonly CommandDefinition[] = [
  {
    path: ['up'],
    summary: 'Run ARC on this machine: API server, controllers and workflow engine in one process',
    offline: true,
    options: [
      { flags: '--data-dir <dir>', description: 'where everything is kept; default: $ARC_DATA_DIR or ~/.local/share/arc' },
      { flags: '--listen <address>', description: 'address of the API server', defaultValue: '127.0.0.1:6443' },
      { flags: '--kubeconfig <file>', description: 'where to write the kubeconfig of the administrator; default: in the data directory' },
      ...sharedOptions.storage('default: a file in the data directory'),
      sharedOptions.logLevel('warn'),
      sharedOptions.cronInterval,
      ...sharedOptions.audit,
      ...sharedOptions.probes('link-local and unspecified addresses, and loopback unless the API server listens there'),
    ],
    examples: ['arcctl up', 'arcctl up --data-dir ./arc-data --listen 127.0.0.1:0 --kubeconfig ./kubeconfig'],
    load: async () => (await import('./up-command.ts')).runUpCommand,
  },
  {
    path: ['order', 'submit'],
    summary: 'Create what a file holds, and optionally wait for its Orders',
    options: [
      {
        flags: '-f, --filename <file>',
        description: 'YAML or JSON with one or more objects; - reads standard input; may be given several times',
        required: true,
        repeatable: true,
      },
      { flags: '--wait', description: 'block until every Order in the file has finished' },
      { flags: '--watch', description: 'the same, showing progress' },
      timeout,
    ],
    examples: ['arcctl order submit -f order.yaml --watch', 'generate-order | arcctl order submit -f - --wait --timeout 15m'],
    load: async () => (await import('./order/submit.ts')).submitOrders,
  },
  {
    path: ['order', 'watch'],
    summary: 'Show the progress of an Order until it has finished',
    arguments: '<name>',
    options: [timeout],
    examples: ['arcctl order watch demo'],
    load: async () => (await import('./order/watch.ts')).watchOrder,
  },
  {
    path: ['order', 'plan'],
    summary: 'Say what the Orders of a file would transfer, without transferring it',
    options: [
      {
        flags: '-f, --filename <file>',
        description: 'YAML or JSON with Orders; - reads standard input; may be given several times',
        required: true,
        repeatable: true,
      },
      timeout,
    ],
    examples: ['arcctl order plan -f order.yaml'],
    load: async () => (await import('./order/plan.ts')).planOrders,
  },
  {
    path: ['order', 'list'],
    summary: 'List Orders',
    options: listOptions,
    examples: ['arcctl order list', 'arcctl order list -A --field-selector status.phase=Failed'],
    load: async () => (await import('./get/get-kind.ts')).getKind('orders'),
  },
  {
    path: ['order', 'get'],
    summary: 'Show Orders',
    arguments: '<names...>',
    options: [output('json', 'yaml', 'wide', 'name')],
    examples: ['arcctl order get demo -o yaml'],
    load: async () => (await import('./get/get-kind.ts')).getKind('orders'),
  },
  {
    path: ['order', 'tree'],
    summary: 'Show an Order with its artifacts, their workflows and steps',
    arguments: '<name>',
    examples: ['arcctl order tree demo'],
    load: async () => (await import('./order/tree.ts')).showOrderTree,
  },
  {
    path: ['order', 'logs'],
    summary: 'Print the logs of an Order',
    arguments: '<name>',
    options: [
      { flags: '-f, --follow', description: 'keep printing until everything has finished' },
      { flags: '--tail <lines>', description: 'only the last lines of each step' },
    ],
    examples: ['arcctl order logs demo -f'],
    load: async () => (await import('./order/logs.ts')).printOrderLogs,
  },
  {
    path: ['order', 'retry'],
    summary: 'Try once more what has failed of an Order',
    arguments: '<name>',
    options: wait,
    examples: ['arcctl order retry demo --watch'],
    load: async () => (await import('./order/retry.ts')).retryOrder,
  },
  {
    path: ['order', 'suspend'],
    summary: 'Start nothing new for an Order; what runs goes on',
    arguments: '<name>',
    examples: ['arcctl order suspend demo'],
    load: async () => (await import('./order/suspension.ts')).suspendOrder,
  },
  {
    path: ['order', 'resume'],
    summary: 'Go on with an Order that was suspended',
    arguments: '<name>',
    examples: ['arcctl order resume demo'],
    load: async () => (await import('./order/suspension.ts')).resumeOrder,
  },
  {
    path: ['order', 'cancel'],
    summary: 'Suspend an Order and end what runs for it; resume and retry bring it back',
    arguments: '<name>',
    examples: ['arcctl order cancel demo'],
    load: async () => (await import('./order/cancel.ts')).cancelOrder,
  },
  {
    path: ['queue'],
    summary: 'Show what waits for its turn, in order, and why',
    options: [output('json'), { flags: '-A, --all-namespaces', description: 'of all namespaces' }],
    examples: ['arcctl queue -A'],
    load: async () => (await import('./queue/queue.ts')).showQueue,
  },
  {
    path: ['endpoint', 'add'],
    summary: 'Create an Endpoint, with its credentials',
    arguments: '<name>',
    options: [
      { flags: '--type <type>', description: 'what is spoken there, for example oci, helm or http', required: true },
      { flags: '--url <url>', description: 'where it is; without a scheme https is meant', required: true },
      { flags: '--usage <usage>', description: 'what it is for; default: All', choices: ['PullOnly', 'PushOnly', 'All'] },
      { flags: '--secret <name>', description: 'a Secret of the namespace that holds the credentials' },
      { flags: '--username <name>', description: 'who to log in as; the password is kept in a new Secret NAME-credentials' },
      { flags: '--password-stdin', description: 'read the password from standard input' },
      { flags: '--ca-file <file>', description: 'PEM certificates of authorities to trust besides those of the system' },
      { flags: '--tls-secret <name>', description: 'a Secret of the namespace with a client certificate, tls.crt and tls.key' },
      { flags: '--server-name <name>', description: 'the name its certificate is for, when that is not the host of --url' },
      { flags: '--concurrency <count>', description: 'how many runs may use it at the same time' },
      { flags: '--max-bytes-per-second <bytes>', description: 'most bytes a second that one run moves from or to it' },
      { flags: '--contact <contact...>', description: 'whom to ask about it: NAME, ADDRESS or "NAME <ADDRESS>", with " (ROLE)" after it' },
      { flags: '--valid-until <time>', description: 'from when on it is not ready: a date, or a time such as 2030-01-31T12:00:00Z' },
    ],
    examples: [
      'arcctl endpoint add source --type oci --url registry.example.org --usage PullOnly',
      'arcctl endpoint add destination --type oci --url registry.example.com --username pusher --password-stdin < password',
    ],
    load: async () => (await import('./endpoint/add.ts')).addEndpoint,
  },
  {
    path: ['endpoint', 'test'],
    summary: 'Probe an Endpoint now and show what was found; exit code 0 when it is ready, 1 when it is not',
    arguments: '<name>',
    options: [output('json', 'yaml', 'name'), { ...timeout, description: 'give up waiting after this long; default: 30s' }],
    examples: ['arcctl endpoint test destination'],
    load: async () => (await import('./endpoint/probe.ts')).testEndpoint,
  },
  {
    path: ['endpoint', 'rotate'],
    summary: 'Put a new password into the Secret of an Endpoint',
    arguments: '<name>',
    options: [
      { flags: '--username <name>', description: 'another user, too' },
      { flags: '--password-stdin', description: 'read the password, or token, from standard input' },
    ],
    examples: ['arcctl endpoint rotate destination --password-stdin < password'],
    load: async () => (await import('./endpoint/rotate.ts')).rotateCredentials,
  },
  {
    path: ['endpoint', 'list'],
    summary: 'List Endpoints',
    options: listOptions,
    examples: ['arcctl endpoint list'],
    load: async () => (await import('./get/get-kind.ts')).getKind('endpoints'),
  },
  {
    path: ['type', 'list'],
    summary: 'List the artifact types that Orders of a namespace may name',
    options: [output('json')],
    examples: ['arcctl type list', 'arcctl type list -n team-a'],
    load: async () => (await import('./type/list.ts')).listTypes,
  },
  {
    path: ['type', 'show'],
    summary: 'Show an artifact type',
    arguments: '<name>',
    options: [output('json', 'yaml', 'name')],
    examples: ['arcctl type show oci'],
    load: async () => (await import('./type/show.ts')).showType,
  },
  {
    path: ['doctor'],
    summary: 'Look at a running ARC and say what to do about what is wrong',
    options: [
      { flags: '--installed-in <namespace>', description: "where ARC is installed; default: that of its APIService's Service" },
      output('json'),
    ],
    examples: ['arcctl doctor', 'arcctl doctor -o json'],
    load: async () => (await import('./doctor/doctor.ts')).doctor,
  },
  {
    path: ['get'],
    summary: 'List objects of a kind, or show some of them',
    arguments: '<kind> [names...]',
    options: listOptions,
    examples: ['arcctl get orders', 'arcctl get order demo -o yaml', 'arcctl get aw -A -w'],
    load: async () => (await import('./get/get.ts')).getObjects,
  },
  {
    path: ['logs'],
    summary: 'Print the logs of an Order, ArtifactWorkflow, Workflow or Pod',
    arguments: '<name>',
    options: [
      { flags: '-f, --follow', description: 'keep printing until everything has finished' },
      { flags: '--tail <lines>', description: 'only the last lines of each step' },
    ],
    examples: ['arcctl logs demo', 'arcctl logs order/demo -f', 'arcctl logs pod/demo-copy-1234'],
    load: async () => (await import('./logs/logs.ts')).printLogs,
  },
  {
    path: ['artifact', 'list'],
    summary: 'List the versions of an artifact in a registry or OCI layout, the newest first',
    offline: true,
    arguments: '<repository>',
    options: [
      { flags: '--versions <range>', description: 'only versions in this range, for example ">=1.2 <2", "^1.2" or "1.x"' },
      { flags: '--match <pattern>', description: 'only tags that match, with * and ?' },
      { flags: '--prereleases', description: 'count pre-releases as versions of the range' },
      { flags: '--limit <count>', description: 'at most this many' },
      { flags: '--digests', description: 'ask for the digest of each' },
      ...registryOptions,
      output('json', 'name'),
    ],
    examples: ["arcctl artifact list registry.example.org/team/app --versions '>=1.2 <2'"],
    load: async () => (await import('./artifact/list.ts')).listArtifact,
  },
  ...artifactCommands,
  {
    path: ['artifact', 'verify'],
    summary: 'Show the evidence beside an artifact and check it: signatures, attestations, SBOMs, receipts; exit code 1 unless it passes',
    arguments: '<reference>',
    offline: true,
    options: [
      { flags: '--policy <file>', description: 'verification policy: what must be signed by whom' },
      { flags: '--trust-dir <dir>', description: 'where the files lie that the policy names; default: beside it' },
      {
        flags: '--source <repository>',
        description: 'the repository it came from, which the policy speaks of; default: the one looked at',
      },
      { flags: '--key <file...>', description: 'public key (PEM) of somebody who may have signed; can be repeated' },
      ...registryOptions,
      output('json'),
    ],
    examples: [
      'arcctl artifact verify registry.example.org/team/app:v1 --key release.pub',
      'arcctl artifact verify mirror.example.org/team/app:v1 --policy policy.yaml --source registry.example.org/team/app',
    ],
    load: async () => (await import('./artifact/verify.ts')).verifyArtifactEvidence,
  },
  {
    path: ['storage', 'migrate'],
    summary: 'Make or update the tables in a database; other storage does so by itself',
    offline: true,
    options: [storage],
    examples: ['arcctl storage migrate --storage postgres://arc@db.example/arc'],
    load: async () => (await import('./storage/migrate.ts')).migrateStorage,
  },
  {
    path: ['storage', 'status'],
    summary: 'Show what a storage holds and whether this version can use it',
    offline: true,
    options: [storage, output('json')],
    examples: ['arcctl storage status --storage postgres://arc@db.example/arc'],
    load: async () => (await import('./storage/status.ts')).showStorageStatus,
  },
  {
    path: ['storage', 'compact'],
    summary: 'Forget history that nobody needs any more; a running server does so by itself',
    offline: true,
    options: [storage, { flags: '--keep <revisions>', description: 'the newest revisions whose history is kept', defaultValue: '10000' }],
    examples: ['arcctl storage compact --storage postgres://arc@db.example/arc --keep 1000'],
    load: async () => (await import('./storage/compact.ts')).compactStorage,
  },
  {
    path: ['storage', 'copy'],
    summary: 'Copy everything from one storage to another, while no server uses either',
    offline: true,
    options: [
      { flags: '--from <url>', description: 'the storage to copy, as --storage names it elsewhere', required: true },
      { flags: '--to <url>', description: 'the storage to fill', required: true },
      replace,
      output('json'),
    ],
    examples: ['arcctl storage copy --from sqlite:arc-data/arc.db --to postgres://arc@db.example/arc'],
    load: async () => (await import('./storage/copy.ts')).copyStorage,
  },
  {
    path: ['storage', 'backup'],
    summary: 'Write one consistent state of a storage to a file, also beside a running server',
    offline: true,
    options: [storage, { flags: '--to <file>', description: 'the file to write; - for standard output', required: true }, output('json')],
    examples: [
      'arcctl storage backup --storage sqlite:arc-data/arc.db --to arc.backup',
      'arcctl storage backup --storage postgres://arc@db.example/arc --to - | age -r KEY > arc.backup.age',
    ],
    load: async () => (await import('./storage/backup.ts')).backupStorage,
  },
  {
    path: ['storage', 'restore'],
    summary: 'Fill a storage from a backup, while no server uses it',
    offline: true,
    options: [{ flags: '--from <file>', description: 'the backup', required: true }, storage, replace, output('json')],
    examples: ['arcctl storage restore --from arc.backup --storage sqlite:arc-data/arc.db'],
    load: async () => (await import('./storage/restore.ts')).restoreStorage,
  },
  {
    path: ['storage', 'doctor'],
    summary: 'Look for what is wrong in a storage, also beside a running server; exit code 1 when something is',
    offline: true,
    options: [
      storage,
      { flags: '--remove <key>', description: 'remove this one value, if it cannot be read' },
      { flags: '--yes', description: 'remove it without asking' },
      output('json'),
    ],
    examples: [
      'arcctl storage doctor --storage sqlite:arc-data/arc.db',
      'arcctl storage doctor --storage postgres://arc@db.example/arc --remove /registry/core/configmaps/default/broken',
    ],
    load: async () => (await import('./storage/doctor.ts')).examineStorage,
  },
  {
    path: ['user', 'add'],
    summary: 'Issue a client certificate and write a kubeconfig with it',
    arguments: '<name>',
    options: [
      group,
      { flags: '--kubeconfig <file>', description: 'where to write the kubeconfig; default: NAME.kubeconfig' },
      { flags: '--data-dir <dir>', description: 'data directory of the running arcctl up; default: $ARC_DATA_DIR or ~/.local/share/arc' },
      { flags: '--ttl <duration>', description: 'how long it is valid, in whole days: 30d or 720h; default: 365d' },
    ],
    examples: ['arcctl user add jane', 'arcctl user add jane --group release --kubeconfig ./jane.kubeconfig -n team-a'],
    load: async () => (await import('./user/add.ts')).addUser,
  },
  {
    path: ['user', 'token'],
    summary: 'Issue a bearer token and print it, once',
    arguments: '<name>',
    options: [group, { flags: '--ttl <duration>', description: 'how long it is valid, for example 12h; default: 30d' }],
    examples: ['arcctl user token ci --ttl 12h', 'arcctl user token ci --group robots > token'],
    load: async () => (await import('./user/token.ts')).issueUserToken,
  },
  {
    path: ['user', 'list'],
    summary: 'List the certificates and tokens that were issued',
    options: [output('json')],
    load: async () => (await import('./user/list.ts')).listUsers,
  },
  {
    path: ['user', 'revoke'],
    summary: 'End the certificates and tokens of a user',
    arguments: '<name>',
    options: [{ flags: '--id <id>', description: 'only this one, as arcctl user list names it' }],
    examples: ['arcctl user revoke jane', 'arcctl user revoke ci --id user-token-0123456789abcdef'],
    load: async () => (await import('./user/revoke.ts')).revokeUser,
  },
  {
    path: ['version'],
    summary: 'Print the version of arcctl',
    offline: true,
    options: [output('json')],
    load: async () => (await import('./version/version.ts')).printVersion,
  },
];

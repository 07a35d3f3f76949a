import type { CommandDefinition, OptionDefinition } from '../command.ts';

const json: OptionDefinition = { flags: '-o, --output <format>', description: 'print as json', choices: ['json'] };

/** What every command takes that speaks to registries through `Registries`. */
export const registryOptions: readonly OptionDefinition[] = [
  { flags: '--authfile <file>', description: 'credentials; default: those of podman, skopeo or Docker' },
  { flags: '--credential-helpers', description: 'run the credential helpers that the file names (docker-credential-...)' },
  { flags: '--ca-file <file>', description: 'PEM authority to trust besides those of the system' },
];

/** What every command that moves artifacts takes. */
const moving: readonly OptionDefinition[] = [
  { flags: '--dry-run', description: 'look at everything, write nothing, and say how many bytes would move' },
  {
    flags: '--referrers <policy>',
    description: 'signatures, SBOMs and what else refers to it: leave them, take what can be taken, or fail without them',
    choices: ['none', 'best-effort', 'required'],
  },
  { flags: '--limit-rate <bytes>', description: 'most bytes a second, for example 500K or 20M' },
  {
    flags: '--progress <how>',
    description: 'what to show on stderr while bytes move: text, json (one object a line) or none',
    choices: ['text', 'json', 'none'],
    defaultValue: 'text',
  },
  ...registryOptions,
  json,
];

const chunks: OptionDefinition = {
  flags: '--chunk-size <bytes>',
  description: 'upload in chunks that can be resumed; default: each blob in one request',
};
const platform: OptionDefinition = {
  flags: '--platform <platform...>',
  description: 'only these, for example linux/amd64; can be repeated',
};
const onConflict: OptionDefinition = {
  flags: '--on-conflict <policy>',
  description: 'a tag that stands for something else there: fail, skip it, or overwrite',
  choices: ['fail', 'skip', 'overwrite'],
};

const versions: OptionDefinition = {
  flags: '--versions <range>',
  description: 'all versions of each repository in this range, for example ">=1.2 <2"',
};

/** The commands that move artifacts; they need no server. */
export const artifactCommands: readonly CommandDefinition[] = [
  {
    path: ['artifact', 'copy'],
    summary: 'Copy an artifact between registries, with what refers to it, byte for byte',
    offline: true,
    arguments: '<source> <destination>',
    options: [
      { flags: '--tag <tag...>', description: 'further tags at the destination; can be repeated' },
      platform,
      onConflict,
      chunks,
      ...moving,
    ],
    examples: ['arcctl artifact copy registry.example.org/team/app:v1 mirror.example.net/team/app:v1'],
    load: async () => (await import('./copy.ts')).copyArtifactCommand,
  },
  {
    path: ['artifact', 'mirror'],
    summary: 'Copy many artifacts into a registry, each under its own repository and tag',
    offline: true,
    arguments: '<references...>',
    options: [
      { flags: '--to <registry>', description: 'registry, or a path in one', required: true },
      versions,
      onConflict,
      chunks,
      ...moving,
    ],
    examples: ["arcctl artifact mirror registry.example.org/team/app --versions '>=1.2 <2' --to mirror.example.net/zone"],
    load: async () => (await import('./mirror.ts')).mirrorArtifacts,
  },
  {
    path: ['artifact', 'export'],
    summary: 'Write artifacts with what refers to them onto a disk, as an OCI layout: a directory, or one .tar file',
    offline: true,
    arguments: '<references...>',
    options: [
      { flags: '--to <path>', description: 'directory or .tar file; what it holds already is kept', required: true },
      { flags: '--against <inventory>', description: 'leave out what the other side has: an inventory (.json) or its registry' },
      versions,
      platform,
      ...moving,
    ],
    examples: [
      'arcctl artifact export registry.example.org/team/app:v1 registry.example.org/team/db:v3 --to /media/disk/zone.tar',
      "arcctl artifact export registry.example.org/team/app --versions '>=1.2 <2' --to /media/disk/zone --against inventory.json",
    ],
    load: async () => (await import('./export.ts')).exportArtifactsCommand,
  },
  {
    path: ['artifact', 'import'],
    summary: 'Bring what arcctl artifact export, skopeo or umoci wrote onto a disk into a registry',
    offline: true,
    arguments: '<path> <registry>',
    options: [
      { flags: '--only <pattern>', description: 'only names that match, with * and ?' },
      { flags: '--repository <name>', description: 'where tags without a repository go, as other tools write them' },
      { flags: '--inventory <file>', description: 'afterwards add to this file what the repositories hold, for the next export' },
      onConflict,
      chunks,
      ...moving,
    ],
    examples: ['arcctl artifact import /media/disk/zone.tar registry.zone.example/incoming --inventory inventory.json'],
    load: async () => (await import('./import.ts')).importArtifactsCommand,
  },
  {
    path: ['artifact', 'inventory'],
    summary: 'List the blobs that repositories hold, so that an export can leave them out',
    offline: true,
    arguments: '<registry> <repositories...>',
    options: [{ flags: '--to <file>', description: 'add it to this file instead of printing it' }, ...registryOptions],
    examples: ['arcctl artifact inventory registry.zone.example/incoming team/app team/db --to inventory.json'],
    load: async () => (await import('./inventory.ts')).takeInventory,
  },
];

import type { CertificateAndKey, CertificateFolder } from '@arc/pki';

/** The certificates of the clients that a process hands out to itself. */
export interface IssuedClients {
  /** What is answered gives the certificate that was issued last. */
  issue(name: string, subject: Subject): Promise<() => CertificateAndKey>;
  /** Issues those anew that are due. */
  renew(): Promise<void>;
}

type Subject = Parameters<CertificateFolder['client']>[1];

interface Issued {
  readonly subject: Subject;
  certificate: CertificateAndKey;
}

export function issuedClients(folder: Pick<CertificateFolder, 'client'>): IssuedClients {
  const all = new Map<string, Issued>();
  return {
    issue: async (name, subject) => {
      const issued = { subject, certificate: await folder.client(name, subject) };
      all.set(name, issued);
      return () => issued.certificate;
    },
    renew: async () => {
      for (const [name, issued] of all) {
        const { certPem, keyPem } = await folder.client(name, issued.subject);
        // One that is the same stays the same object, by which connections are told apart.
        if (certPem !== issued.certificate.certPem) issued.certificate = { certPem, keyPem };
      }
    },
  };
}

/** One addressee of a message: a row of its recipient table. MS-PST 2.4.5.3, MS-OXOMSG 2.2.3. @module */
import { Row } from './tableview.js';

export type RecipientKind = 'from' | 'to' | 'cc' | 'bcc' | 'unknown';

const KINDS: readonly RecipientKind[] = ['from', 'to', 'cc', 'bcc'];
/** The low bits of PidTagRecipientType; the upper ones are flags of resending. MS-OXOMSG 2.2.3.1. */
const KIND_MASK = 0x0f;

export class Recipient extends Row {
  get kind(): RecipientKind {
    return KINDS[(this.integer('PidTagRecipientType') ?? -1) & KIND_MASK] ?? 'unknown';
  }
  get name(): string | undefined {
    return this.text('PidTagDisplayName');
  }
  /** `SMTP`, `EX`. */
  get addressType(): string | undefined {
    return this.text('PidTagAddressType');
  }
  /** As the address type has it: a distinguished name for `EX`. */
  get address(): string | undefined {
    return this.text('PidTagEmailAddress');
  }
  /** The SMTP address, when the row or its address is one. */
  get smtpAddress(): string | undefined {
    return this.text('PidTagSmtpAddress') ?? (this.addressType === 'SMTP' ? this.address : undefined);
  }
  get entryId(): Uint8Array | undefined {
    return this.binary('PidTagEntryId');
  }
}

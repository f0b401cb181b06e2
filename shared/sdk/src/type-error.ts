declare const message: unique symbol;

/** What the compiler shows instead of a type when a definition cannot be right: read the message, it says what to do. */
export interface HeadgateTypeError<Message extends string> {
  readonly [message]: Message;
}

/** A failure with a stable code, for the page to put into words. */
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

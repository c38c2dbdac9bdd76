/** The method whose messages `opening-bridge.ts` opens. */
export const OPENED_METHOD = "/test.Echo/Opened";

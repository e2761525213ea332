// Libraries that expect newer Node get what they need before any test imports them.
import '@songhua/node/base/polyfill'

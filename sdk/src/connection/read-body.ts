import { SonghuaError } from './songhua-error.js'

/**
 * The body as text, UTF-8. What is longer is left where it is.
 * @param bytesMax of the body as it comes out of its content coding
 * @throws SonghuaError `ANSWER_TOO_LARGE`; whatever breaks the body off
 */
export async function readText(response: Response, bytesMax: number): Promise<string> {
  if (response.body === null) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let bytes = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > bytesMax) {
      // How the other side takes it does not matter any more.
      reader.cancel().catch(() => undefined)
      throw answerTooLarge('The answer', bytesMax)
    }
    text += decoder.decode(value, { stream: true })
  }
}

export function answerTooLarge(what: string, bytesMax: number): SonghuaError {
  const message = `${what} has more than ${bytesMax} bytes: more than is read here. Ask for less at one time`
  return new SonghuaError('ANSWER_TOO_LARGE', message, { details: { bytesMax } })
}

/** A prefecture-level division of Heilongjiang: GB/T 2260 code, names, and the name of its folder on disk. */
export interface City {
  code: string
  zh: string
  en: string
  slug: string
}

/**
 * In the order in which a devnet gives them to its nodes: the super node, three backbone nodes of the largest cities,
 * then the others by code.
 */
export const CITIES: readonly City[] = [
  { code: '230100', zh: '哈尔滨', en: 'Harbin', slug: 'harbin' },
  { code: '230200', zh: '齐齐哈尔', en: 'Qiqihar', slug: 'qiqihar' },
  { code: '230600', zh: '大庆', en: 'Daqing', slug: 'daqing' },
  { code: '230800', zh: '佳木斯', en: 'Jiamusi', slug: 'jiamusi' },
  { code: '230300', zh: '鸡西', en: 'Jixi', slug: 'jixi' },
  { code: '230400', zh: '鹤岗', en: 'Hegang', slug: 'hegang' },
  { code: '230500', zh: '双鸭山', en: 'Shuangyashan', slug: 'shuangyashan' },
  { code: '230700', zh: '伊春', en: 'Yichun', slug: 'yichun' },
  { code: '230900', zh: '七台河', en: 'Qitaihe', slug: 'qitaihe' },
  { code: '231000', zh: '牡丹江', en: 'Mudanjiang', slug: 'mudanjiang' },
  { code: '231100', zh: '黑河', en: 'Heihe', slug: 'heihe' },
  { code: '231200', zh: '绥化', en: 'Suihua', slug: 'suihua' },
  { code: '232700', zh: '大兴安岭', en: "Daxing'anling", slug: 'daxinganling' },
]

export const isCityCode = (code: unknown): boolean => CITIES.some((city) => city.code === code)

/** `230100 Harbin, 230200 Qiqihar, …`, by code. */
export const knownCities = (language: 'en' | 'zh'): string =>
  CITIES.map((city) => `${city.code} ${city[language]}`).sort().join(language === 'zh' ? '、' : ', ')

/** The city of the i-th node of a devnet. Past thirteen the names begin again with a number: Harbin-2. */
export function cityOfNode(index: number): City {
  const city = CITIES[index % CITIES.length] as City
  const lap = Math.floor(index / CITIES.length) + 1
  return lap === 1
    ? city
    : { code: city.code, zh: `${city.zh}-${lap}`, en: `${city.en}-${lap}`, slug: `${city.slug}-${lap}` }
}

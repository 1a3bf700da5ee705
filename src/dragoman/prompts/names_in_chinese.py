"""Chinese names of languages, as BigTrans is asked with."""

from dragoman.prompts.languages import LONG_CODES, language_name

# As BigTrans itself calls them; some it gives two names, one after the other.
_OWN = """
    af-南非荷兰语 am-阿姆哈拉语 ar-阿拉伯语 as-阿萨姆语 ast-阿斯图里亚斯语 az-阿塞拜疆语 be-白俄罗斯语 bg-保加利亚语
    bn-孟加拉语 bo-藏语 br-布列塔尼语 bs-波斯尼亚语 ca-加泰罗尼亚语 cs-捷克语 cy-威尔士语 da-丹麦语 de-德语 el-希腊语
    en-英语 eo-世界语 es-西班牙语 et-爱沙尼亚语 eu-巴斯克语 fa-波斯语 fi-芬兰语 fr-法语 fy-西弗里斯兰语 ga-爱尔兰语
    gd-盖尔语 gl-加利西亚语 gu-古吉拉特语 ha-豪萨语 he-希伯来语 hi-印地语 hr-克罗地亚语 hu-匈牙利语 hy-亚美尼亚语
    id-印度尼西亚语 ig-伊博语 is-冰岛语 it-意大利语 ja-日语 ka-格鲁吉亚语 kk-哈萨克语 km-高棉语 kn-卡纳达语 ko-韩语
    ku-库尔德语 ky-吉尔吉斯语 lt-立陶宛语 lv-拉脱维亚语 mg-马尔加什语 mk-马其顿语 ml-马拉雅拉姆语 mn-蒙古语
    mr-马拉地语 ms-马来语 mt-马耳他语 my-缅甸语 nb-挪威博克马尔语_巴克摩挪威文 ne-尼泊尔语 nl-荷兰语
    nn-尼诺斯克挪威语_新挪威语 no-挪威语 oc-奥克西唐语 or-奥里亚语 pa-旁遮普语 pl-波兰语 ps-普什图语 pt-葡萄牙语
    ro-罗马尼亚语 ru-俄语 rw-卢旺达语 se-北萨米语 si-僧伽罗语 sk-斯洛伐克语 sl-斯洛文尼亚语 sq-阿尔巴尼亚语
    sr-塞尔维亚语 sv-瑞典语 ta-泰米尔语 te-泰卢固语 tg-塔吉克语 th-泰语 tk-土库曼语 tr-土耳其语 tt-鞑靼语 uk-乌克兰语
    ug-维吾尔语 ur-乌尔都语 uz-乌兹别克语 vi-越南语 xh-科萨语 yi-意第绪语 yo-约鲁巴语 zh-汉语 zu-祖鲁语
"""
# Languages that it does not know.
_OTHERS = """
    ba-巴什基尔语 bho-博杰普尔语 bm-班巴拉语 ceb-宿务语 ckb-中库尔德语 co-科西嘉语 cv-楚瓦什语 dsb-下索布语
    dv-迪维希语 ff-富拉语 fil-菲律宾语 fo-法罗语 gn-瓜拉尼语 haw-夏威夷语 hmn-苗语 hsb-上索布语 ht-海地克里奥尔语
    ia-国际语 ilo-伊洛卡诺语 iu-因纽特语 jv-爪哇语 la-拉丁语 lb-卢森堡语 lg-卢干达语 ln-林加拉语 lo-老挝语
    mai-迈蒂利语 mi-毛利语 nso-北索托语 ny-齐切瓦语 om-奥罗莫语 qu-克丘亚语 sa-梵语 sah-雅库特语 sc-萨丁语 sd-信德语
    sm-萨摩亚语 sn-绍纳语 so-索马里语 ss-斯瓦蒂语 st-南索托语 su-巽他语 sw-斯瓦希里语 ti-提格里尼亚语 tl-他加禄语
    tn-茨瓦纳语 to-汤加语 ts-聪加语 tw-契维语 wo-沃洛夫语 yue-粤语
"""
NAMES = {code: name.replace("_", " ") for code, name in (pair.split("-", 1) for pair in (_OWN + _OTHERS).split())}


def name_in_chinese(code: str) -> str:
    """The Chinese name of a language, without its region or script; `DataError` for an unknown code."""
    language = code.split("_")[0]
    language_name(language)  # an unknown one is refused with the nearest
    return NAMES[LONG_CODES.get(language, language)]

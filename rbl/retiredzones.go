package rbl

// retiredZones are lists that old configurations and manuals still name. A dead list answers
// nothing, or one day everything: that is how AHBL and SpamCannibal came to refuse all mail of
// everyone who still asked them.
var retiredZones = []retiredZone{
	{"ahbl.org", "2015-01", "it lists every address there is", "https://wordtothewise.com/2015/01/ahbl-wildcards-internet"},
	{"dsbl.org", "2008-05", "its servers are off", "https://vamsoft.com/company/news/dsbl-shutdown"},
	{"spamcannibal.org", "2018-05", "its domain expired and its new owner's servers list every address", "https://wordtothewise.com/2018/06/list-the-world"},
	{"sorbs.net", "2024-06", "all its zones were emptied", "https://www.techzine.eu, The Register, June 2024"},
	{"dnsbl.manitu.net", "2025-01", "NiXSpam was discontinued", "https://github.com/matteocorti/check_rbl/issues/61"},
	{"inps.de", "2020-05", "it was switched off, block list and allow list", "https://www.dnsbl.com/2020/05/"},
	{"wpbl.info", "2025-07 at the latest", "it has quit", "https://github.com/dmippolitov/pydnsbl/issues/48"},
	{"virbl.bit.nl", "2017-01", "it was switched off", "https://www.rollernet.us/2017/01/shutdown-of-virbl-dnsbl-bit-nl/"},
	{"virbl.dnsbl.bit.nl", "2017-01", "it was switched off", "https://www.rollernet.us/2017/01/shutdown-of-virbl-dnsbl-bit-nl/"},
	{"cyberlogic.net", "2018-05", "it lists every address", "https://github.com/matteocorti/check_rbl/issues/17"},
	{"ubl.unsubscore.com", "2024-06 at the latest", "LashBack's list is offline", "https://www.dnsbl.com"},
	{"rbl.webiron.net", "2020-05", "its domain expired and every name below it was answered", "https://www.dnsbl.com/2020/05/"},
	{"bsb.spamlookup.net", "2020-04", "it died", "https://www.dnsbl.com/2020/05/"},
	{"ordb.org", "2006-12", "it was closed, and since 2008-03 lists every address", "announcement of ordb.org"},
	{"njabl.org", "2013-03", "it was closed", "announcement of njabl.org"},
}

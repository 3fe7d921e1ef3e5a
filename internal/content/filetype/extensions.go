package filetype

import "strings"

// group is extensions that are opened alike, and who says so.
type group struct {
	traits Traits
	source string
	list   string
}

// The sources.
const (
	outlook  = "Microsoft Support, Blocked attachments in Outlook; BlockedFileTypes of Outlook on the web"
	gmail    = "Google, Gmail Help, File types blocked in Gmail (answer 6590)"
	chromium = "Chromium, components/safe_browsing/content/resources/download_file_types.asciipb"
	msix     = "Microsoft Learn, MSIX: Installing Windows apps from a web page (file types of App Installer)"
	theme    = "Microsoft Learn, Theme File Format: a theme names a screen saver, which is a program"
	libraryM = "Microsoft 365 message center, June 2025: .library-ms and .search-ms are blocked in Outlook"
	searches = "Microsoft Learn, Search Connector Description Schema: opens a folder of any server"
	queries  = "Microsoft Support, File formats that are supported in Excel: queries, which get what they run from outside"
	vsto     = "Microsoft Learn, Deploying Office solutions by using ClickOnce"
	addIns   = "Microsoft Support, Add or load a Word add-in; Excel add-ins: libraries of machine code or macros"
	office   = "Microsoft Support, File formats for Office: the macro-enabled ones"
	mounted  = "Microsoft Learn, Mount-DiskImage: Windows opens these by a double click"
	notes    = "Microsoft Learn, [MS-ONE] and [MS-ONESTORE]; Block OneNote embedded files"
)

// groups are all extensions that are known to run. Those of Python, Perl, Ruby and the like are not
// among them: they need a program that few readers have, and those who have it send such files to
// each other. contrib/content/dangerous-files.def has Python's.
var groups = []group{
	{Executable, outlook, `.exe .com .scr .pif .cpl .msi .msp .mst .msc .app .gadget .jar .msu .xll .diagcab`},
	{Executable, gmail, `.dll .sys .vxd .apk .appx .appxbundle .msix .msixbundle .diagcfg .diagpkg`},
	{Executable, chromium, `.ocx .drv .class`},
	{Executable, msix, `.appinstaller`},
	{Executable, addIns, `.wll`},

	{Script, outlook, `.bat .cmd .js .jse .vbs .vbe .vb .wsf .wsh .wsc .ws .sct .hta .lnk .url .scf .reg .inf .chm .hlp
		.its .csh .ksh .ps1 .ps1xml .ps2 .ps2xml .psc1 .psc2 .psd1 .psdm1 .pssc .cdxml .msh .msh1 .msh2 .mshxml .msh1xml
		.msh2xml .shb .shs .website .appref-ms .settingcontent-ms .appcontent-ms .application .jnlp .xbap .theme .udl
		.wsb .webpnp .printerexport .mcf .xnk .prg .fxp`},
	{Script, gmail, `.mjs`},
	{Script, chromium, `.psm1 .sh .bash .tcsh .shar .vbscript .slk .desktop .command .applescript .scpt .fileloc .webloc
		.workflow`},
	{Script, libraryM, `.library-ms .search-ms`},
	{Script, searches, `.searchconnector-ms`},
	{Script, queries, `.iqy .oqy .dqy .rqy`},
	{Script, theme, `.themepack .deskthemepack .desktopthemepackfile`},
	{Script, vsto, `.vsto`},

	{Macros, office, `.docm .dotm .xlsm .xltm .xlam .xlsb .pptm .potm .ppam .ppsm .sldm .vsdm .vssm .vstm`},
	{Macros, addIns, `.xla .xlm .ppa`},
	{Macros, gmail, `.ade .adp .mde`},
	{Macros, chromium, `.accde`},

	{DiskImage, mounted, `.iso .img .vhd .vhdx`},
	{DiskImage, chromium, `.udf .vmdk .dmg .sparseimage .toast .udif`},

	{OneNote, notes, `.one .onepkg .onetoc .onetoc2`},
}

// doubtful extensions end the names of sites, addresses and bundles too: all of ours that are
// top-level domains, as a test holds, bundles of macOS (directories, which come as a zip), and
// those that name files of other kinds as often.
var doubtful = set(`.com .app .sh .website .ws .one .class .img .toast .prg .ps2 .udf .workflow`)

// mediaTypes are those that a mail program gives an extension that runs, where the part has none:
// as Windows knows them (HKEY_CLASSES_ROOT\MIME\Database\Content Type, and the types that the
// programs of the extensions register), or IANA.
var mediaTypes = map[string]string{
	"application/ecmascript":                        ".js",
	"application/javascript":                        ".js",
	"application/x-javascript":                      ".js",
	"text/ecmascript":                               ".js",
	"text/javascript":                               ".js",
	"text/jscript":                                  ".js",
	"text/vbscript":                                 ".vbs",
	"text/scriptlet":                                ".sct",
	"text/x-ms-iqy":                                 ".iqy",
	"application/hta":                               ".hta",
	"application/internet-shortcut":                 ".url",
	"application/x-mswinurl":                        ".url",
	"application/x-ms-shortcut":                     ".lnk",
	"application/vnd.ms-htmlhelp":                   ".chm",
	"application/winhlp":                            ".hlp",
	"application/x-bat":                             ".bat",
	"application/x-java-jnlp-file":                  ".jnlp",
	"application/x-ms-application":                  ".application",
	"application/x-ms-vsto":                         ".vsto",
	"application/x-ms-xbap":                         ".xbap",
	"application/x-msdownload":                      ".exe",
	"application/x-msdos-program":                   ".exe",
	"application/x-dosexec":                         ".exe",
	"application/vnd.microsoft.portable-executable": ".exe",
	"application/x-ms-installer":                    ".msi",
	"application/x-msi":                             ".msi",
	"application/java-archive":                      ".jar",
	"application/x-java-archive":                    ".jar",
	"application/java-vm":                           ".class",
	"application/vnd.android.package-archive":       ".apk",
	"application/appinstaller":                      ".appinstaller",
	"application/appx":                              ".appx",
	"application/appxbundle":                        ".appxbundle",
	"application/msix":                              ".msix",
	"application/msixbundle":                        ".msixbundle",
	"application/vnd.efi.iso":                       ".iso",
	"application/x-iso9660-image":                   ".iso",
	"application/x-virtualbox-vhd":                  ".vhd",
	"application/x-apple-diskimage":                 ".dmg",
	"application/onenote":                           ".one",
	"application/msonenote":                         ".one",
}

var extensions = table()

func table() map[string]Traits {
	all := map[string]Traits{}
	for _, g := range groups {
		for _, ext := range strings.Fields(g.list) {
			all[ext] |= g.traits
		}
	}
	return all
}

func set(list string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(list) {
		all[name] = true
	}
	return all
}

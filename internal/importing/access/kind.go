package access

import (
	"mailweir/internal/table"
)

// kind is what a map is asked for.
type kind struct {
	// word begins the names of files: access-WORD-….
	word string
	// block, permit and relay are the flags for refusals, for permits, and for what may be relayed;
	// "" where there is none.
	block, permit, relay string
	// blockUse and permitUse are what the lists of the flags may have.
	blockUse, permitUse table.ListOptions
	// permitValue is how an OK is written for permit.
	permitValue string
	// permitReason says what a permit does.
	permitReason string
	// shield is the word of the block list that exempts: one that says nothing else.
	shield string
}

// spared are the checks that only monitor for a recipient whom Postfix spared what follows.
const spared = "greylist,rbl,reputation"

// kinds are those for which mailweir has lists.
var kinds = [...]kind{
	{
		word: "clients", block: "client-block-list", permit: "permit-clients", relay: "open-relay-clients",
		blockUse: options(table.Clients, table.Actions), permitUse: options(table.Clients, table.Permits),
		permitValue: "OK", permitReason: "permit-clients", shield: "OK",
	},
	{
		word: "senders", block: "sender-block-list", permit: "permit-senders", relay: "open-relay-senders",
		blockUse: options(table.Addresses, table.Actions), permitUse: options(table.Addresses, table.Permits),
		permitValue: "OK", permitReason: "permit-senders, and counts only while SPF or DKIM vouches for the sender", shield: "OK",
	},
	{
		word: "recipients", block: "recipient-access", permit: "monitor-for", relay: "open-relay-exceptions",
		blockUse: options(table.Addresses, table.Actions), permitUse: options(table.Addresses, table.Any),
		permitValue: spared, permitReason: "monitor-for: " + spared + " refuse nothing to it", shield: "DUNNO",
	},
	{
		word: "logins", block: "account-list",
		blockUse: options(0, table.Any), shield: "DUNNO",
	},
}

func options(asked table.Asked, values table.Values) table.ListOptions {
	return table.ListOptions{Use: table.Use{Asked: asked, Values: values}, Subdomains: true, Delimiters: "+"}
}

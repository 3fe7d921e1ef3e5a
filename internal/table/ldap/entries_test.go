package ldap

// entries are those of the tables that are compared.
const entries = `dn: ou=people,dc=test
objectClass: organizationalUnit
ou: people

dn: cn=bob,ou=people,dc=test
objectClass: mailThing
cn: bob
mail: bob@example.com
mail: robert@example.com
maildrop: bob
maildrop: bob@host.example
mailacceptinggeneralid: bob
userPassword: bobs

dn: cn=star,ou=people,dc=test
objectClass: mailThing
cn: star
mail:: cyoodClcQGV4YW1wbGUuY29t
mail: *@example.com
mail: \@example.com
maildrop: star

dn: cn=ümlaut,ou=people,dc=test
objectClass: mailThing
maildrop: ümlaut@straße.example
mailacceptinggeneralid: bjørn@example.com

dn: cn=empty,ou=people,dc=test
objectClass: mailThing
mail: empty@example.com

dn: cn=a b,ou=people,dc=test
objectClass: mailThing
mail: blank@example.com
maildrop: blank

dn: cn=c#d,ou=people,dc=test
objectClass: mailThing
maildrop: sharp

dn: cn=two,ou=people,dc=test
objectClass: mailThing
mail: bob@example.com
maildrop: two

dn: cn=odd,ou=people,dc=test
objectClass: mailThing
mail: odd@example.com
maildrop: no-at-sign
maildrop: @nobody.example
maildrop: user@
maildrop: a@b@c.example
octets:: eHkAeg==

dn: cn=latin,ou=people,dc=test
objectClass: mailThing
mail: latin@example.com
octets:: /3g=

dn: cn=sub,cn=bob,ou=people,dc=test
objectClass: mailThing
mail: deep@example.com
maildrop: deep

dn: ou=groups,dc=test
objectClass: organizationalUnit
ou: groups

dn: cn=g1,ou=groups,dc=test
objectClass: mailThing
mail: g1@example.com
member: cn=bob,ou=people,dc=test
member: cn=two,ou=people,dc=test
member: cn=none,ou=people,dc=test
description: g1@desc.example

dn: cn=g2,ou=groups,dc=test
objectClass: mailThing
mail: g2@example.com
maildrop: terminal@host.example
member: cn=bob,ou=people,dc=test
memberURL: ldap:///cn=two,ou=people,dc=test?maildrop

dn: cn=g3,ou=groups,dc=test
objectClass: mailThing
mail: g3@example.com
member: cn=g1,ou=groups,dc=test
memberURL: ldap:///ou=people,dc=test?maildrop,mail?sub?(mail=deep@example.com)

dn: cn=loop,ou=groups,dc=test
objectClass: mailThing
mail: loop@example.com
maildrop: loop
member: cn=loop,ou=groups,dc=test

dn: cn=urls,ou=groups,dc=test
objectClass: mailThing
mail: urls@example.com
memberURL: ldap:///cn=two,ou=people,dc=test
memberURL: LDAP://elsewhere.example:99/cn=star,ou=people,dc=test?MAILDROP?base
memberURL: ldap:///cn=odd,ou=people,dc=test?description
memberURL: ldap:///cn=none,ou=people,dc=test??sub
memberURL: cn=a b,ou=people,dc=test
memberURL: ldap:///ou=people,dc=test??one?mail=deep@example.com

dn: cn=badurl,ou=groups,dc=test
objectClass: mailThing
mail: badurl@example.com
memberURL: ldap:///dc=test??nowhere

dn: cn=baddn,ou=groups,dc=test
objectClass: mailThing
mail: baddn@example.com
memberURL: no such syntax

dn: cn=mixed1,ou=groups,dc=test
objectClass: mailThing
mail: mixed@example.com
maildrop: mixed1
description: terminal1

dn: cn=mixed2,ou=groups,dc=test
objectClass: mailThing
mail: mixed@example.com
maildrop: mixed2
member: cn=two,ou=people,dc=test

dn: cn=mixed3,ou=groups,dc=test
objectClass: mailThing
mail: mixed@example.com
maildrop: mixed3

dn: cn=boss,ou=people,dc=test
objectClass: mailThing
cn: boss
mail: boss@example.com
maildrop;lang-de: chefin
maildrop: boss

dn: cn=alias,ou=groups,dc=test
objectClass: alias
objectClass: extensibleObject
cn: alias
aliasedObjectName: cn=bob,ou=people,dc=test

dn: ou=ad,dc=test
objectClass: organizationalUnit
ou: ad

dn: cn=ann,ou=ad,dc=test
objectClass: mailThing
mail: ann@example.com
proxyAddresses: SMTP:ann@example.com
proxyAddresses: smtp:ann.old@example.com
userAccountControl: 512

dn: cn=off,ou=ad,dc=test
objectClass: mailThing
cn: off
mail: off@example.com
proxyAddresses: SMTP:off@example.com
userAccountControl: 514

dn: ou=elsewhere,dc=test
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,dc=test

`

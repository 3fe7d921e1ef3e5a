# Writes the databases of a copy of postgrey's directory to the file
# mailweir.dump there, as db_dump(1) does. The copy's logs are replayed first.
use strict;
use warnings;
use BerkeleyDB;

my ($dir) = @ARGV;
my $env = BerkeleyDB::Env->new(
    -Home  => $dir,
    -Flags => DB_CREATE | DB_RECOVER | DB_PRIVATE | DB_INIT_TXN | DB_INIT_MPOOL | DB_INIT_LOG,
) or die "environment: $! $BerkeleyDB::Error\n";
open(my $out, '>', "$dir/mailweir.dump") or die "mailweir.dump: $!\n";
for my $name ('postgrey.db', 'postgrey_clients.db') {
    next unless -e "$dir/$name";
    my $db = BerkeleyDB::Btree->new(-Filename => $name, -Env => $env, -Flags => DB_RDONLY)
        or die "$name: $! $BerkeleyDB::Error\n";
    my $cursor = $db->db_cursor() or die "$name: $BerkeleyDB::Error\n";
    print $out "VERSION=3\nformat=bytevalue\ndatabase=$name\ntype=btree\nHEADER=END\n";
    my ($key, $value) = ('', '');
    while ((my $status = $cursor->c_get($key, $value, DB_NEXT)) == 0) {
        print $out ' ', unpack('H*', $key), "\n ", unpack('H*', $value), "\n";
    }
    print $out "DATA=END\n";
}
close($out) or die "mailweir.dump: $!\n";

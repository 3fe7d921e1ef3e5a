# Prints the texts that Perl's MIME-tools and Encode make of header fields, given and printed as JSON, one a line.
use strict;
use warnings;
use Encode;
use JSON::PP;
use MIME::Words;

my $json = JSON::PP->new->allow_nonref->utf8;
$| = 1;
while (my $line = <STDIN>) {
    my $value = $json->decode($line);
    my @texts;
    eval {
        my $text = '';
        for my $piece (MIME::Words::decode_mimewords(encode('UTF-8', $value))) {
            my ($octets, $charset) = @$piece;
            $charset =~ s/\*.*// if $charset;    # a language
            my $known = find_encoding($charset || 'UTF-8') || find_encoding('UTF-8');
            $text .= $known->decode($octets);
        }
        push @texts, $text;
    };
    eval { push @texts, decode('MIME-Header', $value) };
    print $json->encode(\@texts), "\n";
}

# Prints what Perl's MIME-tools finds in each message of a directory: a line of JSON for each,
# {"Names": […], "Text": "…"}.
use strict;
use warnings;
use JSON::PP;
use MIME::Parser;

my ($dir) = @ARGV;
opendir(my $d, $dir) or die "$dir: $!";
my $json = JSON::PP->new->utf8->canonical;

sub parts {
    my ($entity, $found) = @_;
    my $name = $entity->head->recommended_filename;
    push @{ $found->{Names} }, $name if defined $name && $name ne '';
    if (my $body = $entity->bodyhandle) {
        $found->{Text} .= $body->as_string . "\n";
    }
    parts($_, $found) for $entity->parts;
}

for my $file (sort grep { !/^\./ } readdir $d) {
    my $parser = MIME::Parser->new;
    $parser->output_to_core(1);
    $parser->tmp_to_core(1);
    my $found = { Names => [], Text => '' };
    my $entity = eval { local $SIG{__WARN__} = sub { }; $parser->parse_open("$dir/$file") };
    eval { local $SIG{__WARN__} = sub { }; parts($entity, $found) } if $entity;
    print $json->encode($found), "\n";
}

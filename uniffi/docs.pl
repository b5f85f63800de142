# Names in the documentation as the language has them. The generator copies Rust's comments, with Rust's names: `Type::some_member`, links
# such as [`Type::some_member`](path), `some_call`. A word in code that nothing is called, such as the code of a reason, stays as it is.
#
#     perl uniffi/docs.pl kotlin|swift FILE...
use strict;
use warnings;

my $language = shift @ARGV;
my (%text, %declared);

for my $file (@ARGV) {
    open(my $in, '<', $file) or die "$file: $!\n";
    $text{$file} = do { local $/; <$in> };
    close($in);
    # Members, functions and their arguments; not what the comments say.
    for my $line (grep { !m{^\s*(?:\*|/)} } split(/\n/, $text{$file})) {
        $declared{$1} = 1 while $line =~ /\b(?:fun|func|val|var|let)\s+`?(\w+)`?/g;
        $declared{$1} = 1 while $line =~ /[(,]\s*(?:_ )?`?(\w+)`?:/g;
    }
}

sub camel {
    my ($name) = @_;
    $name =~ s/_(\w)/\U$1/g;
    return $name;
}

sub link_to {
    my ($type, $member) = $_[0] =~ /(?:(\w+)::)?(\w+)$/;
    $member = camel($member);
    # The handle is no type of these files.
    return "`$member`" if defined $type && $type eq 'Compass';
    my $name = join($language eq 'swift' ? '/' : '.', grep { defined } $type, $member);
    return $language eq 'swift' ? "``$name``" : "[$name]";
}

sub named {
    my ($line) = @_;
    $line =~ s/\[`([\w:]+)(?:\(\))?`\](?:\([\w:]+\))?/link_to($1)/ge;
    $line =~ s/(?<!`)`((?:\w+::)+\w+)`/link_to($1)/ge;
    $line =~ s/(?<!`)`([a-z]+(?:_[a-z0-9]+)+)`/$declared{camel($1)} ? '`' . camel($1) . '`' : "`$1`"/ge;
    die "a name of Rust in the documentation: $line\n" if $line =~ /\w::\w|\[`/;
    return $line;
}

for my $file (sort keys %text) {
    $text{$file} =~ s/^(\s*\*.*)$/named($1)/gme;
    open(my $out, '>', $file) or die "$file: $!\n";
    print $out $text{$file};
    close($out) or die "$file: $!\n";
}

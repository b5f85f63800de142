# Numbers in generated Kotlin as Int and Long, which Java reaches; the generator has UShort, UInt and ULong for them. A number below zero is
# refused before the call; a number that no Int or Long holds, such as a limit of a document, arrives as the largest one. Values without
# members print as their names. If the generator's output changes, this script or the compiler fails.
#
#     perl uniffi/kotlin.pl FILE...
use strict;
use warnings;

# The type that an app sees, the type that crosses the FFI, its largest value, how it is read, how it is written.
my %converters = (
    UShort => ['Int', 'Short', '0xffff', 'value.toInt() and 0xffff', 'value.toShort()'],
    UInt => ['Int', 'Int', 'Int.MAX_VALUE', 'if (value < 0) Int.MAX_VALUE else value', 'value'],
    ULong => ['Long', 'Long', 'Long.MAX_VALUE', 'if (value < 0) Long.MAX_VALUE else value', 'value'],
);

for my $file (@ARGV) {
    open(my $in, '<', $file) or die "$file: $!\n";
    my $text = do { local $/; <$in> };
    close($in);
    for my $type (sort keys %converters) {
        # A file without such numbers has no converter for them.
        next unless $text =~ /\bFfiConverter$type\b/;
        my ($seen, $crossing, $largest, $read, $written) = @{$converters{$type}};
        my $converter = <<"KOTLIN";
public object FfiConverter$type: FfiConverter<$seen, $crossing> {
    override fun lift(value: $crossing): $seen = $read

    override fun read(buf: ByteBuffer): $seen = lift(buf.get$crossing())

    override fun lower(value: $seen): $crossing {
        if (value !in 0..$largest) {
            throw dev.compass.core.model.CoreException.Failed(
                "invalid_argument", false, null, "a number is below zero or too large", emptyList(), emptyList(), null)
        }
        return $written
    }

    override fun allocationSize(value: $seen): ULong = $crossing.SIZE_BYTES.toULong()

    override fun write(value: $seen, buf: ByteBuffer) {
        buf.put$crossing(lower(value))
    }
}
KOTLIN
        $text =~ s/^public object FfiConverter$type: FfiConverter<$type, $crossing> \{\n.*?^\}\n/$converter/ms
            or die "$file: no converter of $type is where it was\n";
    }
    $text =~ s/\bkotlin\.U(?:Short|Int)\b/kotlin.Int/g;
    $text =~ s/\bkotlin\.ULong\b/kotlin.Long/g;
    $text =~ s/(: kotlin\.Int\??) = (\d+)[uU]\b/$1 = $2/g;
    $text =~ s/(: kotlin\.Long\??) = (\d+)[uU]L\b/$1 = ${2}L/g;
    # `FieldState.Empty`, for instance: the generator writes an `object`, which prints as the address of an instance.
    my $values = $text =~ s/^(    )object (\w+ : (\w+)\(\))$/$1data object $2/gm;
    die "$file: no value without members is where it was\n" if $text =~ /^sealed class FieldState\b/m && !$values;
    open(my $out, '>', $file) or die "$file: $!\n";
    print $out $text;
    close($out) or die "$file: $!\n";
}

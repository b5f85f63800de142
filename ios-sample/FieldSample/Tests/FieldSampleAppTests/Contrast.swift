import FieldSampleModels
import Foundation

/// The contrast of two colours, from 1 to 21, as WCAG 2 defines it.
func contrast(_ one: Shade, _ other: Shade) -> Double {
    func luminance(_ shade: Shade) -> Double {
        func linear(_ part: Double) -> Double { part <= 0.03928 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4) }
        return 0.2126 * linear(shade.red) + 0.7152 * linear(shade.green) + 0.0722 * linear(shade.blue)
    }
    let (bright, dim) = (max(luminance(one), luminance(other)), min(luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)
}

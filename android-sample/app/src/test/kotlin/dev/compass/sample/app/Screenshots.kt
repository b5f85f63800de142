package dev.compass.sample.app

import android.graphics.Bitmap
import android.graphics.Canvas
import android.view.View
import java.awt.image.BufferedImage
import java.awt.image.IndexColorModel
import java.io.File
import javax.imageio.ImageIO
import kotlin.math.abs
import org.junit.Assert.assertTrue
import org.junit.Assert.fail

/**
 * Pictures of screens, compared with those in the repository. `mvn -Dscreenshots=write` makes new ones: look at them before they are
 * committed. A picture that differs is left in `target/screenshots`.
 */
object Screenshots {
    private val references = File("src/test/screenshots")
    private val found = File("target/screenshots")

    fun compare(name: String, view: View) {
        val picture = indexed(pixels(view), view.width, view.height)
        val reference = File(references, "$name.png")
        if (System.getProperty("screenshots") == "write") {
            write(picture, reference)
            return
        }
        if (!reference.exists()) fail("there is no picture of $name yet: mvn -Dscreenshots=write")
        val wanted = ImageIO.read(reference)
        val sameSize = wanted.width == picture.width && wanted.height == picture.height
        val differing = if (sameSize) differing(wanted, picture) else 1.0
        if (differing > PART) {
            write(picture, File(found, "$name.png"))
            fail("$name looks different in %.2f %% of its pixels: see target/screenshots/$name.png".format(differing * 100))
        }
    }

    /** The promise to everybody who clones this. */
    fun assertSmall() {
        val all = references.listFiles { it: File -> it.extension == "png" }.orEmpty()
        assertTrue("${all.size} pictures are too many", all.size in 1..24)
        val bytes = all.sumOf { it.length() }
        assertTrue("$bytes bytes of pictures are too many", bytes <= 1_500_000)
    }

    private fun pixels(view: View): IntArray {
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        view.draw(Canvas(bitmap))
        return IntArray(view.width * view.height).also { bitmap.getPixels(it, 0, view.width, 0, 0, view.width, view.height) }
    }

    /** With 255 colours at most, the most frequent of them: a flat screen has few, and its file gets small. */
    private fun indexed(pixels: IntArray, width: Int, height: Int): BufferedImage {
        val palette = palette(pixels)
        val model = IndexColorModel(8, palette.size, palette.toIntArray(), 0, false, -1, java.awt.image.DataBuffer.TYPE_BYTE)
        val nearest = HashMap<Int, Int>()
        val picture = BufferedImage(width, height, BufferedImage.TYPE_BYTE_INDEXED, model)
        val line = IntArray(width)
        for (y in 0 until height) {
            for (x in 0 until width) {
                line[x] = nearest.getOrPut(pixels[y * width + x]) { palette.indices.minByOrNull { distance(palette[it], pixels[y * width + x]) } ?: 0 }
            }
            picture.raster.setPixels(0, y, width, 1, line)
        }
        return picture
    }

    private fun palette(pixels: IntArray): List<Int> {
        val counts = HashMap<Int, Int>()
        for (pixel in pixels) counts.merge(pixel, 1, Int::plus)
        // Of colours that nobody tells apart the most frequent one.
        return counts.entries.groupBy { it.key and FINE }.values
            .sortedByDescending { alike -> alike.sumOf { it.value } }.take(255)
            .map { alike -> alike.maxBy { it.value }.key }
    }

    private fun differing(wanted: BufferedImage, got: BufferedImage): Double {
        var different = 0
        for (y in 0 until wanted.height) for (x in 0 until wanted.width) {
            if (distance(wanted.getRGB(x, y), got.getRGB(x, y)) > TOLERANCE) different += 1
        }
        return different.toDouble() / (wanted.width * wanted.height)
    }

    private fun distance(one: Int, other: Int): Int = maxOf(
        abs((one shr 16 and 0xFF) - (other shr 16 and 0xFF)),
        abs((one shr 8 and 0xFF) - (other shr 8 and 0xFF)),
        abs((one and 0xFF) - (other and 0xFF)),
    )

    private fun write(picture: BufferedImage, to: File) {
        to.parentFile.mkdirs()
        ImageIO.write(picture, "png", to)
    }

    /** Edges of letters come out a little differently on another processor. */
    private const val TOLERANCE = 48
    private const val PART = 0.002
    private const val FINE = 0xF8F8F8
}

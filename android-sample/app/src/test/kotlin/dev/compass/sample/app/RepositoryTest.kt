package dev.compass.sample.app

import org.junit.Test

/** What everybody who clones this pays for the pictures. */
class RepositoryTest {
    @Test
    fun `the pictures are few and small`() = Screenshots.assertSmall()
}
